#include "common/fault.h"

namespace ec {

FaultInfo InfoOf(Fault fault) {
  switch (fault) {
    case Fault::kOk:
      return {};
#define EC_FAULT(name, wire, http, grpc) \
  case Fault::name:                      \
    return {wire, http, GrpcCode::grpc};
#include "common/fault.def"
#undef EC_FAULT
  }
  EC_CHECK(false);
}

}  // namespace ec
