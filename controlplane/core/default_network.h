// The network that is there from the start, as in every AWS account: a default VPC, its default
// security group, a subnet in every zone; and this machine itself as an instance in it.
#pragma once

#include <string>

#include "controlplane/core/draft.h"

namespace ec::core {

// Each puts in what is missing, and changes nothing that is there. The first also gives the
// clusters a VPC that have none yet.
void EnsureDefaultVpc(Draft& draft);
// `with_localhost`: 127.0.0.1 is the instance i-localhost, so that a client of this machine just
// works.
void EnsureLocalhost(Draft& draft, bool with_localhost);
void EnsureDefaultSubnet(Draft& draft, const model::Zone& zone);

// Leaves nothing but what is there from the start, as it was then. REQUIRES: there are no clusters.
void ResetNetwork(Draft& draft);

const model::Vpc* FindDefaultVpc(const Draft& draft);
const model::SecurityGroupRow* FindDefaultGroup(const Draft& draft, const model::VpcId& vpc);

}  // namespace ec::core
