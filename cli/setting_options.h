// The settings that clusters and groups share, at their creation and later.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command_line.h"

namespace ec::cli {

struct SettingOptions {
  std::optional<std::string> parameter_group, maintenance_window, snapshot_window;
  std::optional<std::string> notification_topic;
  std::optional<int> snapshot_retention;
  std::vector<std::string> security_groups;
};

inline void AddSettingOptions(Command& command, SettingOptions* options) {
  command
      .Option("--parameter-group", "GROUP", &options->parameter_group,
              "Cache parameter group (default: default.<family>)")
      .List("--security-group,--security-groups", "SECURITY-GROUPS", &options->security_groups,
            "Ids or names of security groups (default: the VPC's default group)")
      .Option("--maintenance-window", "WINDOW", &options->maintenance_window,
              "Weekly, in UTC: ddd:hh24:mi-ddd:hh24:mi, such as sun:05:00-sun:06:00")
      .Option("--snapshot-retention", "DAYS", &options->snapshot_retention,
              "Redis: days to keep automatic snapshots, 0..35; 0 turns them off")
      .Option("--snapshot-window", "WINDOW", &options->snapshot_window,
              "Redis: daily, in UTC: hh24:mi-hh24:mi, such as 02:00-03:00")
      .Option("--notification-topic", "ARN", &options->notification_topic,
              "ARN of the SNS topic for notifications");
}

// `Request` is any of the API's that create or modify a cluster or a group. What is absent in the
// options is absent in the request: the service judges the values.
template <typename Request>
void SetSettings(const SettingOptions& options, Request* request) {
  if (options.parameter_group) request->set_cache_parameter_group_name(*options.parameter_group);
  for (const std::string& id : options.security_groups) request->add_security_group_ids(id);
  if (options.maintenance_window) {
    request->set_preferred_maintenance_window(*options.maintenance_window);
  }
  if (options.snapshot_retention) {
    request->set_snapshot_retention_limit(*options.snapshot_retention);
  }
  if (options.snapshot_window) request->set_snapshot_window(*options.snapshot_window);
  if (options.notification_topic) request->set_notification_topic_arn(*options.notification_topic);
}

// What a new Redis begins with.
struct SeedOptions {
  std::optional<std::string> from_snapshot, from_rdb;
};

inline void AddSeedOptions(Command& command, SeedOptions* options) {
  command
      .Option("--from-snapshot", "SNAPSHOT", &options->from_snapshot,
              "Redis: begin with the data of this snapshot, and with its settings by default")
      .Option("--from-rdb", "s3://BUCKET/KEY", &options->from_rdb,
              "Redis: begin with an RDB file, an object in a bucket of the installation");
}

// `Request` is any of the API's that create a cluster or a group.
template <typename Request>
void SetSeed(const SeedOptions& options, Request* request) {
  if (options.from_snapshot) request->set_snapshot_name(*options.from_snapshot);
  if (!options.from_rdb) return;
  constexpr std::string_view kS3 = "s3://";
  const bool is_short = options.from_rdb->starts_with(kS3);
  request->add_snapshot_arns(is_short ? "arn:aws:s3:::" + options.from_rdb->substr(kS3.size())
                                      : *options.from_rdb);
}

inline constexpr char kWaitText[] = "Wait until it is done, and tell how it goes";

}  // namespace ec::cli
