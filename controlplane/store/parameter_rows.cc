#include "controlplane/store/parameter_rows.h"

#include <string>
#include <utility>

namespace ec::store {
namespace {

using SQLite::Database;
using SQLite::Statement;

using Texts = std::map<std::string, std::string>;

// Reads rows of (group, name, text) into the map that `of` finds in the group.
void ReadTexts(Database& db, const char* sql, Texts model::ParameterGroup::*of,
               model::Records* records) {
  Statement rows(db, sql);
  while (rows.executeStep()) {
    Reader read(rows);
    model::ParameterGroup& group = records->parameter_groups.at(read.Text());
    const std::string name = read.Text();
    (group.*of)[name] = read.Text();
  }
}

void WriteTexts(Statements& statements, const std::string& group, std::string_view drop_sql,
                std::string_view put_sql, const Texts& texts) {
  Writer(statements, drop_sql).operator<<(group).Run();
  Writer put(statements, put_sql);
  for (const auto& [name, text] : texts) (put << group << name << text).Run();
}

}  // namespace

void ReadParameterGroups(Database& db, model::Records* records) {
  Statement rows(db,
                 "SELECT name, family, description, reboot_since, revision "
                 "FROM cache_parameter_group ORDER BY name");
  while (rows.executeStep()) {
    Reader read(rows);
    model::ParameterGroup group;
    group.name = read.Text();
    group.family = read.Text();
    group.description = read.Text();
    group.reboot_since = read.UInt64();
    group.revision = read.UInt64();
    records->parameter_groups.emplace(group.name, std::move(group));
  }
  ReadTexts(db, "SELECT cache_parameter_group, name, value FROM cache_parameter_group_value",
            &model::ParameterGroup::values, records);
  ReadTexts(db, "SELECT cache_parameter_group, key, value FROM cache_parameter_group_tag",
            &model::ParameterGroup::tags, records);
}

void WriteParameterGroups(Statements& statements, const model::Edit& edit) {
  Writer put(
      statements,
      "INSERT INTO cache_parameter_group (name, family, description, reboot_since, revision) "
      "VALUES (?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET family = excluded.family, "
      "description = excluded.description, reboot_since = excluded.reboot_since, "
      "revision = excluded.revision");
  for (const auto& [name, group] : edit.parameter_groups) {
    if (!group) {
      Writer(statements, "DELETE FROM cache_parameter_group WHERE name = ?").operator<<(name).Run();
      continue;
    }
    (put << name << group->family << group->description << group->reboot_since << group->revision)
        .Run();
    WriteTexts(statements, name,
               "DELETE FROM cache_parameter_group_value WHERE cache_parameter_group = ?",
               "INSERT INTO cache_parameter_group_value VALUES (?, ?, ?)", group->values);
    WriteTexts(statements, name,
               "DELETE FROM cache_parameter_group_tag WHERE cache_parameter_group = ?",
               "INSERT INTO cache_parameter_group_tag VALUES (?, ?, ?)", group->tags);
  }
}

}  // namespace ec::store
