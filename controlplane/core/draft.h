// The records as one step sees them: what is durable, and over it what the step has changed so
// far. Ends as the Edit to be committed.
//
// A step that refuses a command must not have changed anything by then: check first, then change.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/time.h"
#include "controlplane/model/state.h"

namespace ec::core {

// A question to be sent to a host, about a member of a group in this epoch.
struct Question {
  HostId host;
  OffsetQuestion question;
  uint64_t epoch = 0;
};

class Draft {
 public:
  Draft(const model::State& state, Now now);

  const model::State& state() const { return state_; }
  // The emulator's wall clock, and the steady one.
  Now now() const { return now_; }
  // What the machine's wall clock shows: for what lasts so and so long whatever is emulated.
  WallTime machine_wall() const { return machine_.wall; }
  // From here on the step happens at another time.
  void SetClock(const model::EmulatorClock& clock);
  uint64_t revision() const { return edit_.revision; }  // of this step's edit

  const model::Cluster* FindCluster(const model::ClusterId& id) const;
  const model::Member* FindMember(MemberId id) const;
  const model::Host* FindHost(const HostId& id) const;
  std::vector<const model::Host*> Hosts() const;   // by id
  std::vector<model::ClusterId> Clusters() const;  // by id
  std::vector<model::GroupId> Groups() const;      // by id
  const model::Zone* FindZone(const std::string& name) const;
  std::vector<const model::Zone*> Zones() const;  // by name
  const model::Group* FindGroup(const model::GroupId& id) const;
  const model::Vpc* FindVpc(const model::VpcId& id) const;
  const model::Subnet* FindSubnet(const model::SubnetId& id) const;
  const model::SecurityGroupRow* FindSecurityGroup(const model::SecurityGroupId& id) const;
  const model::InstanceRow* FindInstance(const model::InstanceId& id) const;
  const model::ParameterGroup* FindParameterGroup(const model::ParameterGroupName& name) const;
  const model::CacheSubnetGroup* FindSubnetGroup(const model::SubnetGroupName& name) const;
  const model::User* FindUser(const model::UserId& id) const;  // also the default one
  const model::UserGroup* FindUserGroup(const model::UserGroupId& id) const;
  // All of them, by id.
  std::vector<const model::Vpc*> Vpcs() const;
  std::vector<const model::Subnet*> Subnets() const;
  std::vector<const model::SecurityGroupRow*> SecurityGroups() const;
  std::vector<const model::InstanceRow*> Instances() const;
  std::vector<const model::CacheSubnetGroup*> SubnetGroups() const;
  std::vector<const model::ParameterGroup*> ParameterGroups() const;
  std::vector<const model::User*> Users() const;  // without the default one
  std::vector<const model::UserGroup*> UserGroups() const;
  const model::Installation& installation() const;

  // The row to change; it must exist.
  model::Cluster& EditCluster(const model::ClusterId& id);
  model::Member& EditMember(MemberId id);
  // The member's part of its host's plan has changed, even if its row has not.
  void TouchMember(MemberId id);

  model::Group& EditGroup(const model::GroupId& id);
  // The plans of everything that belongs to the group have changed.
  void TouchGroup(const model::GroupId& id);

  // Only those of the group's endpoints have.
  void TouchGroupEndpoints(const model::GroupId& id);

  // Gives the group an epoch higher than any group has had: a cluster may pass from one group to
  // another, and its host obeys no lower one.
  void RaiseEpoch(const model::GroupId& id);

  void PutGroup(model::Group group);
  void DropGroup(const model::GroupId& id);  // REQUIRES: it has no clusters any more
  // Takes a cluster into a group, or out of the one it is in.
  void EnterGroup(const model::ClusterId& cluster, const model::GroupId& group);
  void LeaveGroup(const model::ClusterId& cluster);

  void PutCluster(model::Cluster cluster);
  // Also enters the member in its cluster's set of members.
  void PutMember(model::Member member);
  void PutHost(model::Host host);
  void PutZone(model::Zone zone);
  void PutInstallation(model::Installation installation);
  void Put(model::Vpc vpc);
  void Put(model::Subnet subnet);
  void Put(model::SecurityGroupRow group);
  void Put(model::InstanceRow instance);
  void Put(model::CacheSubnetGroup group);
  void Put(model::ParameterGroup group);
  void Put(model::User user);
  void Put(model::UserGroup group);
  void DropVpc(const model::VpcId& id);
  void DropSubnet(const model::SubnetId& id);
  void DropSecurityGroup(const model::SecurityGroupId& id);
  void DropInstance(const model::InstanceId& id);
  void DropSubnetGroup(const model::SubnetGroupName& name);
  void DropParameterGroup(const model::ParameterGroupName& name);
  void DropUser(const model::UserId& id);
  void DropUserGroup(const model::UserGroupId& id);
  void DropCluster(const model::ClusterId& id);  // and its members; it leaves its group, too
  void DropMember(MemberId id);                  // also from its cluster's set of members

  void AddClusterEvent(const model::ClusterId& id, std::string message);
  void AddGroupEvent(const model::GroupId& id, std::string message);
  void AddUserEvent(const model::UserId& id, std::string message);
  void AddUserGroupEvent(const model::UserGroupId& id, std::string message);
  // Of a fault that belongs to neither.
  void AddFaultEvent(const std::string& id, std::string message);

  std::vector<const model::WireFault*> Faults() const;  // by number
  void Put(model::WireFault fault);
  void DropFault(uint64_t number);

  const model::Snapshot* FindSnapshot(const model::SnapshotName& name) const;
  std::vector<const model::Snapshot*> Snapshots() const;  // by name
  model::Snapshot& EditSnapshot(const model::SnapshotName& name);
  void Put(model::Snapshot snapshot);
  void DropSnapshot(const model::SnapshotName& name);

  // Drops the events of this step among them as well.
  void DropEventsBelow(uint64_t serial);

  // Has the member's host asked how far it has come. Its number is unlike that of any other
  // question.
  void Ask(const HostId& host, MemberId member, int64_t at_least, uint64_t epoch);
  std::vector<Question> TakeQuestions() { return std::move(questions_); }

  // Takes over what a copy of this draft has changed since.
  void Replace(Draft&& copy);

  // A number for a member or endpoint that has never been given out.
  uint64_t NewId();

  // A free address of the subnet other than `but_not`, as it is in the VPC's slice of loopback;
  // nullopt when there is none. The search goes on where it ended last, so that an address rests
  // long before it is used again. (addresses.h has the same for a cluster.)
  std::optional<Ip4> FindAddress(const model::Subnet& subnet, const std::set<Ip4>& but_not) const;
  void UseAddress(const model::SubnetId& subnet, Ip4 ip);
  // Whether a node, an endpoint or an instance has the address.
  bool IsInUse(Ip4 ip) const;

  // Serves every endpoint outside of loopback as well, at a port of its own, from now on; or none.
  void ServeOutside(const std::optional<model::OutsidePorts>& outside);

  // Members on the host, counting those of this step.
  size_t LoadOf(const HostId& host) const;
  // Members in the region, counting those of this step.
  size_t MemberCount() const;

  // Leaves out the rows that are as they were, stamps the others with the edit's revision, and
  // gives the edit up.
  model::Edit Take();

 private:
  void FinishNetwork();
  void FinishUsers();
  void FinishBackups();
  void FinishBackups(const model::ClusterId& id);
  void FinishGroupBackups(const model::GroupId& id);
  void SetRetention(const std::string& source, bool is_group, int days);
  void FinishOutsidePorts();
  void AddEvent(std::string_view source_type, const std::string& id, std::string message);

  const model::State& state_;
  const Now machine_;
  Now now_;
  model::Edit edit_;
  std::set<MemberId> touched_;
  std::set<model::GroupId> touched_groups_;
  std::vector<Question> questions_;
  std::set<Ip4> addresses_;            // used by this step
  std::map<HostId, long> load_delta_;  // members put less members dropped
};

}  // namespace ec::core
