// The service ec.v1.Network. Every override is one line, as in api_service.h.
#pragma once

#include "common/clock.h"
#include "ec/v1/network.grpc.pb.h"

namespace ec::server {

class ControllerLoop;

class NetworkService : public v1::Network::Service {
 public:
  NetworkService(ControllerLoop& loop, const Clock& clock) : loop_(loop), clock_(clock) {}

  grpc::Status CreateVpc(grpc::ServerContext* context, const v1::CreateVpcRequest* request,
                         v1::CreateVpcResponse* response) override;
  grpc::Status DescribeVpcs(grpc::ServerContext* context, const v1::DescribeVpcsRequest* request,
                            v1::DescribeVpcsResponse* response) override;
  grpc::Status DeleteVpc(grpc::ServerContext* context, const v1::DeleteVpcRequest* request,
                         v1::DeleteVpcResponse* response) override;
  grpc::Status CreateSubnet(grpc::ServerContext* context, const v1::CreateSubnetRequest* request,
                            v1::CreateSubnetResponse* response) override;
  grpc::Status DescribeSubnets(grpc::ServerContext* context,
                               const v1::DescribeSubnetsRequest* request,
                               v1::DescribeSubnetsResponse* response) override;
  grpc::Status DeleteSubnet(grpc::ServerContext* context, const v1::DeleteSubnetRequest* request,
                            v1::DeleteSubnetResponse* response) override;
  grpc::Status CreateSecurityGroup(grpc::ServerContext* context,
                                   const v1::CreateSecurityGroupRequest* request,
                                   v1::CreateSecurityGroupResponse* response) override;
  grpc::Status DescribeSecurityGroups(grpc::ServerContext* context,
                                      const v1::DescribeSecurityGroupsRequest* request,
                                      v1::DescribeSecurityGroupsResponse* response) override;
  grpc::Status DescribeSecurityGroupRules(
      grpc::ServerContext* context, const v1::DescribeSecurityGroupRulesRequest* request,
      v1::DescribeSecurityGroupRulesResponse* response) override;
  grpc::Status DeleteSecurityGroup(grpc::ServerContext* context,
                                   const v1::DeleteSecurityGroupRequest* request,
                                   v1::DeleteSecurityGroupResponse* response) override;
  grpc::Status AuthorizeSecurityGroupIngress(
      grpc::ServerContext* context, const v1::AuthorizeSecurityGroupIngressRequest* request,
      v1::AuthorizeSecurityGroupIngressResponse* response) override;
  grpc::Status RevokeSecurityGroupIngress(
      grpc::ServerContext* context, const v1::RevokeSecurityGroupIngressRequest* request,
      v1::RevokeSecurityGroupIngressResponse* response) override;
  grpc::Status AuthorizeSecurityGroupEgress(
      grpc::ServerContext* context, const v1::AuthorizeSecurityGroupEgressRequest* request,
      v1::AuthorizeSecurityGroupEgressResponse* response) override;
  grpc::Status RevokeSecurityGroupEgress(grpc::ServerContext* context,
                                         const v1::RevokeSecurityGroupEgressRequest* request,
                                         v1::RevokeSecurityGroupEgressResponse* response) override;
  grpc::Status RunInstances(grpc::ServerContext* context, const v1::RunInstancesRequest* request,
                            v1::RunInstancesResponse* response) override;
  grpc::Status DescribeInstances(grpc::ServerContext* context,
                                 const v1::DescribeInstancesRequest* request,
                                 v1::DescribeInstancesResponse* response) override;
  grpc::Status ModifyInstanceAttribute(grpc::ServerContext* context,
                                       const v1::ModifyInstanceAttributeRequest* request,
                                       v1::ModifyInstanceAttributeResponse* response) override;
  grpc::Status TerminateInstances(grpc::ServerContext* context,
                                  const v1::TerminateInstancesRequest* request,
                                  v1::TerminateInstancesResponse* response) override;

  grpc::Status DescribeVpcAttribute(grpc::ServerContext* context,
                                    const v1::DescribeVpcAttributeRequest* request,
                                    v1::DescribeVpcAttributeResponse* response) override;
  grpc::Status ModifyVpcAttribute(grpc::ServerContext* context,
                                  const v1::ModifyVpcAttributeRequest* request,
                                  v1::ModifyVpcAttributeResponse* response) override;
  grpc::Status ModifySubnetAttribute(grpc::ServerContext* context,
                                     const v1::ModifySubnetAttributeRequest* request,
                                     v1::ModifySubnetAttributeResponse* response) override;
  grpc::Status DescribeAvailabilityZones(grpc::ServerContext* context,
                                         const v1::DescribeAvailabilityZonesRequest* request,
                                         v1::DescribeAvailabilityZonesResponse* response) override;
  grpc::Status DescribeNetworkInterfaces(grpc::ServerContext* context,
                                         const v1::DescribeNetworkInterfacesRequest* request,
                                         v1::DescribeNetworkInterfacesResponse* response) override;
  grpc::Status DescribeNetworkAcls(grpc::ServerContext* context,
                                   const v1::DescribeNetworkAclsRequest* request,
                                   v1::DescribeNetworkAclsResponse* response) override;
  grpc::Status DescribeRouteTables(grpc::ServerContext* context,
                                   const v1::DescribeRouteTablesRequest* request,
                                   v1::DescribeRouteTablesResponse* response) override;
  grpc::Status DescribeAccountAttributes(grpc::ServerContext* context,
                                         const v1::DescribeAccountAttributesRequest* request,
                                         v1::DescribeAccountAttributesResponse* response) override;
  grpc::Status CreateTags(grpc::ServerContext* context, const v1::CreateTagsRequest* request,
                          v1::CreateTagsResponse* response) override;
  grpc::Status DeleteTags(grpc::ServerContext* context, const v1::DeleteTagsRequest* request,
                          v1::DeleteTagsResponse* response) override;
  grpc::Status DescribeTags(grpc::ServerContext* context, const v1::DescribeTagsRequest* request,
                            v1::DescribeTagsResponse* response) override;

 private:
  ControllerLoop& loop_;
  const Clock& clock_;
};

}  // namespace ec::server
