#include "controlplane/server/network_service.h"

#include "controlplane/server/controller_loop.h"
#include "controlplane/server/network.h"
#include "controlplane/server/serve.h"

namespace ec::server {

grpc::Status NetworkService::CreateVpc(grpc::ServerContext*, const v1::CreateVpcRequest* request,
                                       v1::CreateVpcResponse* response) {
  return Serve(clock_, kEc2Domain, "CreateVpc", *request,
               [&] { return server::CreateVpc(loop_, *request, response); });
}

grpc::Status NetworkService::DescribeVpcs(grpc::ServerContext*,
                                          const v1::DescribeVpcsRequest* request,
                                          v1::DescribeVpcsResponse* response) {
  return Serve(clock_, kEc2Domain, "DescribeVpcs", *request,
               [&] { return server::DescribeVpcs(loop_, *request, response); });
}

grpc::Status NetworkService::DeleteVpc(grpc::ServerContext*, const v1::DeleteVpcRequest* request,
                                       v1::DeleteVpcResponse* response) {
  return Serve(clock_, kEc2Domain, "DeleteVpc", *request,
               [&] { return server::DeleteVpc(loop_, *request, response); });
}

grpc::Status NetworkService::CreateSubnet(grpc::ServerContext*,
                                          const v1::CreateSubnetRequest* request,
                                          v1::CreateSubnetResponse* response) {
  return Serve(clock_, kEc2Domain, "CreateSubnet", *request,
               [&] { return server::CreateSubnet(loop_, *request, response); });
}

grpc::Status NetworkService::DescribeSubnets(grpc::ServerContext*,
                                             const v1::DescribeSubnetsRequest* request,
                                             v1::DescribeSubnetsResponse* response) {
  return Serve(clock_, kEc2Domain, "DescribeSubnets", *request,
               [&] { return server::DescribeSubnets(loop_, *request, response); });
}

grpc::Status NetworkService::DeleteSubnet(grpc::ServerContext*,
                                          const v1::DeleteSubnetRequest* request,
                                          v1::DeleteSubnetResponse* response) {
  return Serve(clock_, kEc2Domain, "DeleteSubnet", *request,
               [&] { return server::DeleteSubnet(loop_, *request, response); });
}

grpc::Status NetworkService::CreateSecurityGroup(grpc::ServerContext*,
                                                 const v1::CreateSecurityGroupRequest* request,
                                                 v1::CreateSecurityGroupResponse* response) {
  return Serve(clock_, kEc2Domain, "CreateSecurityGroup", *request,
               [&] { return server::CreateSecurityGroup(loop_, *request, response); });
}

grpc::Status NetworkService::DescribeSecurityGroups(
    grpc::ServerContext*, const v1::DescribeSecurityGroupsRequest* request,
    v1::DescribeSecurityGroupsResponse* response) {
  return Serve(clock_, kEc2Domain, "DescribeSecurityGroups", *request,
               [&] { return server::DescribeSecurityGroups(loop_, *request, response); });
}

grpc::Status NetworkService::DescribeSecurityGroupRules(
    grpc::ServerContext*, const v1::DescribeSecurityGroupRulesRequest* request,
    v1::DescribeSecurityGroupRulesResponse* response) {
  return Serve(clock_, kEc2Domain, "DescribeSecurityGroupRules", *request,
               [&] { return server::DescribeSecurityGroupRules(loop_, *request, response); });
}

grpc::Status NetworkService::DeleteSecurityGroup(grpc::ServerContext*,
                                                 const v1::DeleteSecurityGroupRequest* request,
                                                 v1::DeleteSecurityGroupResponse* response) {
  return Serve(clock_, kEc2Domain, "DeleteSecurityGroup", *request,
               [&] { return server::DeleteSecurityGroup(loop_, *request, response); });
}

grpc::Status NetworkService::AuthorizeSecurityGroupIngress(
    grpc::ServerContext*, const v1::AuthorizeSecurityGroupIngressRequest* request,
    v1::AuthorizeSecurityGroupIngressResponse* response) {
  return Serve(clock_, kEc2Domain, "AuthorizeSecurityGroupIngress", *request,
               [&] { return server::AuthorizeSecurityGroupIngress(loop_, *request, response); });
}

grpc::Status NetworkService::RevokeSecurityGroupIngress(
    grpc::ServerContext*, const v1::RevokeSecurityGroupIngressRequest* request,
    v1::RevokeSecurityGroupIngressResponse* response) {
  return Serve(clock_, kEc2Domain, "RevokeSecurityGroupIngress", *request,
               [&] { return server::RevokeSecurityGroupIngress(loop_, *request, response); });
}

grpc::Status NetworkService::AuthorizeSecurityGroupEgress(
    grpc::ServerContext*, const v1::AuthorizeSecurityGroupEgressRequest* request,
    v1::AuthorizeSecurityGroupEgressResponse* response) {
  return Serve(clock_, kEc2Domain, "AuthorizeSecurityGroupEgress", *request,
               [&] { return server::AuthorizeSecurityGroupEgress(loop_, *request, response); });
}

grpc::Status NetworkService::RevokeSecurityGroupEgress(
    grpc::ServerContext*, const v1::RevokeSecurityGroupEgressRequest* request,
    v1::RevokeSecurityGroupEgressResponse* response) {
  return Serve(clock_, kEc2Domain, "RevokeSecurityGroupEgress", *request,
               [&] { return server::RevokeSecurityGroupEgress(loop_, *request, response); });
}

grpc::Status NetworkService::RunInstances(grpc::ServerContext*,
                                          const v1::RunInstancesRequest* request,
                                          v1::RunInstancesResponse* response) {
  return Serve(clock_, kEc2Domain, "RunInstances", *request,
               [&] { return server::RunInstances(loop_, *request, response); });
}

grpc::Status NetworkService::DescribeInstances(grpc::ServerContext*,
                                               const v1::DescribeInstancesRequest* request,
                                               v1::DescribeInstancesResponse* response) {
  return Serve(clock_, kEc2Domain, "DescribeInstances", *request,
               [&] { return server::DescribeInstances(loop_, *request, response); });
}

grpc::Status NetworkService::ModifyInstanceAttribute(
    grpc::ServerContext*, const v1::ModifyInstanceAttributeRequest* request,
    v1::ModifyInstanceAttributeResponse* response) {
  return Serve(clock_, kEc2Domain, "ModifyInstanceAttribute", *request,
               [&] { return server::ModifyInstanceAttribute(loop_, *request, response); });
}

grpc::Status NetworkService::TerminateInstances(grpc::ServerContext*,
                                                const v1::TerminateInstancesRequest* request,
                                                v1::TerminateInstancesResponse* response) {
  return Serve(clock_, kEc2Domain, "TerminateInstances", *request,
               [&] { return server::TerminateInstances(loop_, *request, response); });
}

}  // namespace ec::server
