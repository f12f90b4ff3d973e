// Every delay, limit and choice of judgement in one place.
#pragma once

#include <string>

#include "common/time.h"
#include "controlplane/model/limits.h"

namespace ec::core {

struct Settings {
  // A host that has not been heard for this long is silent: its nodes cannot be reached.
  Duration host_silence_max = std::chrono::seconds(4);
  // An operation that stands still for this long ends in a failed status.
  Duration operation_max = std::chrono::seconds(60);
  // How long the answers of a dead leader's followers, as to how far they have come, are waited
  // for.
  Duration offsets_max = std::chrono::milliseconds(150);
  // A task that its host has been told of and does not speak of is given up after this.
  Duration task_silence_max = std::chrono::seconds(10);
  // While the time of backups has come and the cluster is busy, or the last one has failed.
  std::chrono::minutes backup_retry_every{10};
  // How long writes may wait for a planned change of leader; it is given up after that.
  Duration pause_max = std::chrono::seconds(3);
  // A host that has not been heard for this long is looked at: whether its engines are still there.
  Duration host_doubt_after = std::chrono::milliseconds(700);
  // Of the machine that the control plane runs on; a host of the same boot can be fenced by a kill.
  std::string boot;
  // How often a node under creation gets another address because its own was taken.
  int readdress_max = 3;
  // Nodes in the region (an AWS quota that can be raised).
  int region_nodes_max = model::kRegionNodesMaxDefault;
  // Offer only versions whose major and minor number an installed program has.
  bool strict_versions = false;
  // What the names of the installation's network namespaces begin with; empty: there are none.
  std::string netns;
};

}  // namespace ec::core
