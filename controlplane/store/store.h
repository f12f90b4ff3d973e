// Where the records survive. Memory is the working copy; this is the copy that lasts.
#pragma once

#include "common/status.h"
#include "controlplane/model/records.h"

namespace ec::store {

// Used by one thread. tests/store/store_contract.h says what every Store must do.
class Store {
 public:
  virtual ~Store() = default;

  // Everything that was committed. Called once, before the first Commit().
  virtual Result<model::Records> Load() = 0;

  // Makes the edit durable in one transaction, or changes nothing.
  // kUnavailable: nothing was changed (a full disk, say); trying again may work.
  // kOutcomeUnknown: the edit may or may not be durable; only Load() from disk can tell.
  virtual Status Commit(const model::Edit& edit) = 0;
};

}  // namespace ec::store
