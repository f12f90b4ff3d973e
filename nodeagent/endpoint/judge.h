// May this peer come in? Pure.
#pragma once

#include "common/address.h"

namespace ec::endpoint {

enum class Verdict { kAdmit, kRefuse };

// Every peer is admitted: an endpoint has no access rules.
Verdict Judge(Ip4 peer);

}  // namespace ec::endpoint
