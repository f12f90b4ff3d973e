#include "common/host_plan.h"

#include <gtest/gtest.h>

#include "tests/sim/random.h"

namespace ec {
namespace {

MemberSpec Member(MemberId id, uint64_t generation = 1) {
  MemberSpec spec;
  spec.id = id;
  spec.generation = generation;
  return spec;
}

EndpointSpec Endpoint(EndpointId id, uint16_t port = 6379) {
  return {id, {Ip4{0x7f0a0000u + static_cast<uint32_t>(id)}, port}, id, std::nullopt};
}

HostPlan PlanOf(uint64_t revision, std::vector<MemberSpec> members,
                std::vector<EndpointSpec> endpoints = {}) {
  HostPlan plan;
  plan.revision = revision;
  for (const MemberSpec& member : members) plan.members.emplace(member.id, member);
  for (const EndpointSpec& endpoint : endpoints) plan.endpoints.emplace(endpoint.id, endpoint);
  return plan;
}

TEST(Merge, TakesACompleteUpdateInPlaceOfEverything) {
  HostPlan plan = PlanOf(5, {Member(1), Member(2)}, {Endpoint(1), Endpoint(2)});
  PlanUpdate update{.base = 0, .revision = 7};
  update.members = {Member(3)};
  update.endpoints = {Endpoint(3)};
  EXPECT_TRUE(Merge(update, &plan));
  EXPECT_EQ(plan, PlanOf(7, {Member(3)}, {Endpoint(3)}));
}

TEST(Merge, ChangesAddsAndDropsWhatAnUpdateNames) {
  HostPlan plan = PlanOf(5, {Member(1), Member(2), Member(3)}, {Endpoint(1), Endpoint(2)});
  PlanUpdate update{.base = 5, .revision = 9};
  update.members = {Member(2, 8), Member(4)};
  update.endpoints = {Endpoint(2, 7000)};
  update.gone_members = {3, 99};
  update.gone_endpoints = {1};
  EXPECT_TRUE(Merge(update, &plan));
  EXPECT_EQ(plan, PlanOf(9, {Member(1), Member(2, 8), Member(4)}, {Endpoint(2, 7000)}));
}

TEST(Merge, RefusesAnOlderUpdateAndChangesNothing) {
  HostPlan plan = PlanOf(5, {Member(1)});
  const HostPlan before = plan;
  for (const uint64_t base : {0u, 3u}) {
    PlanUpdate update{.base = base, .revision = 4};
    update.members = {Member(2)};
    EXPECT_FALSE(Merge(update, &plan));
    EXPECT_EQ(plan, before);
  }
}

TEST(Merge, RefusesAnUpdateThatLeavesAGapAndChangesNothing) {
  HostPlan plan = PlanOf(5, {Member(1)});
  const HostPlan before = plan;
  PlanUpdate update{.base = 6, .revision = 9};
  update.members = {Member(2)};
  EXPECT_FALSE(Merge(update, &plan));
  EXPECT_EQ(plan, before);
}

TEST(Merge, TakesAnUpdateThatBeginsBeforeWhatThePlanHas) {
  HostPlan plan = PlanOf(8, {Member(1, 3)});
  PlanUpdate update{.base = 5, .revision = 9};
  update.members = {Member(1, 4)};
  EXPECT_TRUE(Merge(update, &plan));
  EXPECT_EQ(plan, PlanOf(9, {Member(1, 4)}));
}

TEST(Merge, DoneTwiceIsAsGoodAsOnce) {
  HostPlan plan = PlanOf(5, {Member(1), Member(2)});
  PlanUpdate update{.base = 5, .revision = 9};
  update.members = {Member(3)};
  update.gone_members = {1};
  EXPECT_TRUE(Merge(update, &plan));
  const HostPlan once = plan;
  EXPECT_TRUE(Merge(update, &plan));
  EXPECT_EQ(plan, once);
}

// An endpoint may have gone to another host and come back since the base.
TEST(Merge, KeepsWhatIsBothGoneAndThereAgain) {
  HostPlan plan = PlanOf(5, {Member(1)}, {Endpoint(7, 1000)});
  PlanUpdate update{.base = 5, .revision = 9};
  update.members = {Member(1, 2)};
  update.endpoints = {Endpoint(7, 2000)};
  update.gone_members = {1};
  update.gone_endpoints = {7};
  EXPECT_TRUE(Merge(update, &plan));
  EXPECT_EQ(plan, PlanOf(9, {Member(1, 2)}, {Endpoint(7, 2000)}));
}

// A random history of plans, and a receiver that gets updates between any two of them, late,
// repeated and out of order: whatever it takes, it then has exactly that revision's plan.
TEST(Merge, LeadsToThePlanOfItsRevisionWhateverTheOrder) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    sim::Random dice(seed);
    std::vector<HostPlan> history = {HostPlan{}};
    for (uint64_t revision = 1; revision <= 30; ++revision) {
      HostPlan next = history.back();
      next.revision = revision;
      const auto id = static_cast<uint64_t>(dice.Between(1, 6));
      if (dice.Chance(60)) {
        next.members[id] = Member(id, revision);
        next.endpoints[id] = Endpoint(id, static_cast<uint16_t>(revision));
      } else {
        next.members.erase(id);
        next.endpoints.erase(id);
      }
      history.push_back(next);
    }
    HostPlan plan;
    for (int i = 0; i < 60; ++i) {
      const auto base = static_cast<uint64_t>(dice.Between(0, 30));
      const auto revision = static_cast<uint64_t>(dice.Between(static_cast<int64_t>(base), 30));
      PlanUpdate update{.base = base, .revision = revision};
      for (const auto& [id, member] : history[revision].members) {
        if (base == 0 || member.generation > base) update.members.push_back(member);
      }
      for (const auto& [id, endpoint] : history[revision].endpoints) {
        if (base == 0 || endpoint.listen.port > base) update.endpoints.push_back(endpoint);
      }
      for (uint64_t id = 1; base > 0 && id <= 6; ++id) {
        bool left = false;  // at any time since the base
        for (uint64_t r = base; r < revision; ++r) {
          left |= history[r].members.contains(id) && !history[r + 1].members.contains(id);
        }
        if (left) update.gone_members.push_back(id);
        if (left) update.gone_endpoints.push_back(id);
      }
      const uint64_t before = plan.revision;
      const bool taken = Merge(update, &plan);
      EXPECT_EQ(taken, revision >= before && base <= before) << "seed " << seed;
      EXPECT_EQ(plan, history[taken ? revision : before]) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace ec
