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

grpc::Status NetworkService::DescribeVpcAttribute(grpc::ServerContext*,
                                                  const v1::DescribeVpcAttributeRequest* request,
                                                  v1::DescribeVpcAttributeResponse* response) {
  return Serve(clock_, kEc2Domain, "DescribeVpcAttribute", *request,
               [&] { return server::DescribeVpcAttribute(loop_, *request, response); });
}

grpc::Status NetworkService::ModifyVpcAttribute(grpc::ServerContext*,
                                                const v1::ModifyVpcAttributeRequest* request,
                                                v1::ModifyVpcAttributeResponse* response) {
  return Serve(clock_, kEc2Domain, "ModifyVpcAttribute", *request,
               [&] { return server::ModifyVpcAttribute(loop_, *request, response); });
}

grpc::Status NetworkService::ModifySubnetAttribute(grpc::ServerContext*,
                                                   const v1::ModifySubnetAttributeRequest* request,
                                                   v1::ModifySubnetAttributeResponse* response) {
  return Serve(clock_, kEc2Domain, "ModifySubnetAttribute", *request,
               [&] { return server::ModifySubnetAttribute(loop_, *request, response); });
}

grpc::Status NetworkService::DescribeAvailabilityZones(
    grpc::ServerContext*, const v1::DescribeAvailabilityZonesRequest* request,
    v1::DescribeAvailabilityZonesResponse* response) {
  return Serve(clock_, kEc2Domain, "DescribeAvailabilityZones", *request,
               [&] { return server::DescribeAvailabilityZones(loop_, *request, response); });
}

grpc::Status NetworkService::DescribeNetworkInterfaces(
    grpc::ServerContext*, const v1::DescribeNetworkInterfacesRequest* request,
    v1::DescribeNetworkInterfacesResponse* response) {
  return Serve(clock_, kEc2Domain, "DescribeNetworkInterfaces", *request,
               [&] { return server::DescribeNetworkInterfaces(loop_, *request, response); });
}

grpc::Status NetworkService::DescribeNetworkAcls(grpc::ServerContext*,
                                                 const v1::DescribeNetworkAclsRequest* request,
                                                 v1::DescribeNetworkAclsResponse* response) {
  return Serve(clock_, kEc2Domain, "DescribeNetworkAcls", *request,
               [&] { return server::DescribeNetworkAcls(loop_, *request, response); });
}

grpc::Status NetworkService::DescribeRouteTables(grpc::ServerContext*,
                                                 const v1::DescribeRouteTablesRequest* request,
                                                 v1::DescribeRouteTablesResponse* response) {
  return Serve(clock_, kEc2Domain, "DescribeRouteTables", *request,
               [&] { return server::DescribeRouteTables(loop_, *request, response); });
}

grpc::Status NetworkService::DescribeAccountAttributes(
    grpc::ServerContext*, const v1::DescribeAccountAttributesRequest* request,
    v1::DescribeAccountAttributesResponse* response) {
  return Serve(clock_, kEc2Domain, "DescribeAccountAttributes", *request,
               [&] { return server::DescribeAccountAttributes(loop_, *request, response); });
}

grpc::Status NetworkService::CreateTags(grpc::ServerContext*, const v1::CreateTagsRequest* request,
                                        v1::CreateTagsResponse* response) {
  return Serve(clock_, kEc2Domain, "CreateTags", *request,
               [&] { return server::CreateTags(loop_, *request, response); });
}

grpc::Status NetworkService::DeleteTags(grpc::ServerContext*, const v1::DeleteTagsRequest* request,
                                        v1::DeleteTagsResponse* response) {
  return Serve(clock_, kEc2Domain, "DeleteTags", *request,
               [&] { return server::DeleteTags(loop_, *request, response); });
}

grpc::Status NetworkService::DescribeTags(grpc::ServerContext*,
                                          const v1::DescribeTagsRequest* request,
                                          v1::DescribeTagsResponse* response) {
  return Serve(clock_, kEc2Domain, "DescribeTags", *request,
               [&] { return server::DescribeTags(loop_, *request, response); });
}

}  // namespace ec::server
