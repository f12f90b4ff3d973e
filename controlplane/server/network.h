// EC2's calls: proto in, one command or one look at the records, proto out.
#pragma once

#include "common/status.h"
#include "ec/v1/network.pb.h"

namespace ec::server {

class ControllerLoop;

// In network.cc.
Status CreateVpc(ControllerLoop& loop, const v1::CreateVpcRequest& request,
                 v1::CreateVpcResponse* response);
Status DescribeVpcs(ControllerLoop& loop, const v1::DescribeVpcsRequest& request,
                    v1::DescribeVpcsResponse* response);
Status DeleteVpc(ControllerLoop& loop, const v1::DeleteVpcRequest& request,
                 v1::DeleteVpcResponse* response);
Status CreateSubnet(ControllerLoop& loop, const v1::CreateSubnetRequest& request,
                    v1::CreateSubnetResponse* response);
Status DescribeSubnets(ControllerLoop& loop, const v1::DescribeSubnetsRequest& request,
                       v1::DescribeSubnetsResponse* response);
Status DeleteSubnet(ControllerLoop& loop, const v1::DeleteSubnetRequest& request,
                    v1::DeleteSubnetResponse* response);

// In network_groups.cc.
Status CreateSecurityGroup(ControllerLoop& loop, const v1::CreateSecurityGroupRequest& request,
                           v1::CreateSecurityGroupResponse* response);
Status DescribeSecurityGroups(ControllerLoop& loop,
                              const v1::DescribeSecurityGroupsRequest& request,
                              v1::DescribeSecurityGroupsResponse* response);
Status DescribeSecurityGroupRules(ControllerLoop& loop,
                                  const v1::DescribeSecurityGroupRulesRequest& request,
                                  v1::DescribeSecurityGroupRulesResponse* response);
Status DeleteSecurityGroup(ControllerLoop& loop, const v1::DeleteSecurityGroupRequest& request,
                           v1::DeleteSecurityGroupResponse* response);
Status AuthorizeSecurityGroupIngress(ControllerLoop& loop,
                                     const v1::AuthorizeSecurityGroupIngressRequest& request,
                                     v1::AuthorizeSecurityGroupIngressResponse* response);
Status RevokeSecurityGroupIngress(ControllerLoop& loop,
                                  const v1::RevokeSecurityGroupIngressRequest& request,
                                  v1::RevokeSecurityGroupIngressResponse* response);
Status AuthorizeSecurityGroupEgress(ControllerLoop& loop,
                                    const v1::AuthorizeSecurityGroupEgressRequest& request,
                                    v1::AuthorizeSecurityGroupEgressResponse* response);
Status RevokeSecurityGroupEgress(ControllerLoop& loop,
                                 const v1::RevokeSecurityGroupEgressRequest& request,
                                 v1::RevokeSecurityGroupEgressResponse* response);

// In network_instances.cc.
Status RunInstances(ControllerLoop& loop, const v1::RunInstancesRequest& request,
                    v1::RunInstancesResponse* response);
Status DescribeInstances(ControllerLoop& loop, const v1::DescribeInstancesRequest& request,
                         v1::DescribeInstancesResponse* response);
Status ModifyInstanceAttribute(ControllerLoop& loop,
                               const v1::ModifyInstanceAttributeRequest& request,
                               v1::ModifyInstanceAttributeResponse* response);
Status TerminateInstances(ControllerLoop& loop, const v1::TerminateInstancesRequest& request,
                          v1::TerminateInstancesResponse* response);

// In network_details.cc.
Status DescribeVpcAttribute(ControllerLoop& loop, const v1::DescribeVpcAttributeRequest& request,
                            v1::DescribeVpcAttributeResponse* response);
Status ModifyVpcAttribute(ControllerLoop& loop, const v1::ModifyVpcAttributeRequest& request,
                          v1::ModifyVpcAttributeResponse* response);
Status ModifySubnetAttribute(ControllerLoop& loop, const v1::ModifySubnetAttributeRequest& request,
                             v1::ModifySubnetAttributeResponse* response);
Status DescribeAvailabilityZones(ControllerLoop& loop,
                                 const v1::DescribeAvailabilityZonesRequest& request,
                                 v1::DescribeAvailabilityZonesResponse* response);
Status DescribeNetworkInterfaces(ControllerLoop& loop,
                                 const v1::DescribeNetworkInterfacesRequest& request,
                                 v1::DescribeNetworkInterfacesResponse* response);
Status DescribeNetworkAcls(ControllerLoop& loop, const v1::DescribeNetworkAclsRequest& request,
                           v1::DescribeNetworkAclsResponse* response);
Status DescribeRouteTables(ControllerLoop& loop, const v1::DescribeRouteTablesRequest& request,
                           v1::DescribeRouteTablesResponse* response);
Status DescribeAccountAttributes(ControllerLoop& loop,
                                 const v1::DescribeAccountAttributesRequest& request,
                                 v1::DescribeAccountAttributesResponse* response);
Status CreateTags(ControllerLoop& loop, const v1::CreateTagsRequest& request,
                  v1::CreateTagsResponse* response);
Status DeleteTags(ControllerLoop& loop, const v1::DeleteTagsRequest& request,
                  v1::DeleteTagsResponse* response);
Status DescribeTags(ControllerLoop& loop, const v1::DescribeTagsRequest& request,
                    v1::DescribeTagsResponse* response);

}  // namespace ec::server
