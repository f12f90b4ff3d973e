#include "controlplane/store/user_rows.h"

#include <map>
#include <string>
#include <utility>

namespace ec::store {
namespace {

using model::User;
using model::UserGroup;
using SQLite::Database;
using SQLite::Statement;

void ReadUserRows(Database& db, model::Records* records) {
  Statement rows(db,
                 "SELECT id, name, status, engine, access_string, no_password, revision "
                 "FROM user ORDER BY id");
  while (rows.executeStep()) {
    Reader read(rows);
    User user;
    user.id = read.Text();
    user.name = read.Text();
    const std::string status = read.Text();
    const auto known = model::ParseUserStatus(status);
    if (!known) Malformed("status", status);
    user.status = *known;
    user.engine = read.Text();
    user.access_string = read.Text();
    user.no_password = read.Bool();
    user.revision = read.UInt64();
    records->users.emplace(user.id, std::move(user));
  }
  Statement passwords(db, "SELECT user, sha256 FROM user_password ORDER BY user, position");
  while (passwords.executeStep()) {
    Reader read(passwords);
    User& user = records->users.at(read.Text());
    user.passwords.push_back(read.Text());
  }
}

void ReadUserGroupRows(Database& db, model::Records* records) {
  Statement rows(db, "SELECT id, status, engine, revision FROM user_group ORDER BY id");
  while (rows.executeStep()) {
    Reader read(rows);
    UserGroup group;
    group.id = read.Text();
    const std::string status = read.Text();
    const auto known = model::ParseUserGroupStatus(status);
    if (!known) Malformed("status", status);
    group.status = *known;
    group.engine = read.Text();
    group.revision = read.UInt64();
    records->user_groups.emplace(group.id, std::move(group));
  }
  Statement users(db, "SELECT user_group, kind, user FROM user_group_user ORDER BY 1, 2, 3");
  while (users.executeStep()) {
    Reader read(users);
    UserGroup& group = records->user_groups.at(read.Text());
    const std::string kind = read.Text();
    auto& list = kind == "adding"     ? group.adding
                 : kind == "removing" ? group.removing
                                      : group.users;
    list.insert(read.Text());
  }
}

// Rows of (id, key, value), into what has the id.
template <typename Row>
void ReadTags(Database& db, const char* sql, std::map<std::string, Row>* rows) {
  Statement tags(db, sql);
  while (tags.executeStep()) {
    Reader read(tags);
    Row& row = rows->at(read.Text());
    const std::string key = read.Text();
    row.tags[key] = read.Text();
  }
}

void Drop(Statements& statements, std::string_view sql, const std::string& id) {
  Writer(statements, sql).operator<<(id).Run();
}

void WriteUserRow(Statements& statements, const User& user) {
  Writer put(statements,
             "INSERT INTO user (id, name, status, engine, access_string, no_password, revision) "
             "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name, "
             "status = excluded.status, engine = excluded.engine, "
             "access_string = excluded.access_string, no_password = excluded.no_password, "
             "revision = excluded.revision");
  (put << user.id << user.name << NameOf(user.status) << user.engine << user.access_string
       << user.no_password << user.revision)
      .Run();
  Drop(statements, "DELETE FROM user_password WHERE user = ?", user.id);
  Writer put_password(statements, "INSERT INTO user_password VALUES (?, ?, ?)");
  for (size_t i = 0; i < user.passwords.size(); ++i) {
    (put_password << user.id << static_cast<uint64_t>(i) << user.passwords[i]).Run();
  }
  Drop(statements, "DELETE FROM user_tag WHERE user = ?", user.id);
  Writer put_tag(statements, "INSERT INTO user_tag VALUES (?, ?, ?)");
  for (const auto& [key, value] : user.tags) (put_tag << user.id << key << value).Run();
}

void WriteUserGroupRow(Statements& statements, const UserGroup& group) {
  Writer put(statements,
             "INSERT INTO user_group (id, status, engine, revision) VALUES (?, ?, ?, ?) "
             "ON CONFLICT (id) DO UPDATE SET status = excluded.status, engine = excluded.engine, "
             "revision = excluded.revision");
  (put << group.id << NameOf(group.status) << group.engine << group.revision).Run();
  Drop(statements, "DELETE FROM user_group_user WHERE user_group = ?", group.id);
  Writer put_user(statements, "INSERT INTO user_group_user VALUES (?, ?, ?)");
  const auto put_all = [&](const char* kind, const std::set<model::UserId>& users) {
    for (const model::UserId& user : users) (put_user << group.id << kind << user).Run();
  };
  put_all("member", group.users);
  put_all("adding", group.adding);
  put_all("removing", group.removing);
  Drop(statements, "DELETE FROM user_group_tag WHERE user_group = ?", group.id);
  Writer put_tag(statements, "INSERT INTO user_group_tag VALUES (?, ?, ?)");
  for (const auto& [key, value] : group.tags) (put_tag << group.id << key << value).Run();
}

}  // namespace

model::AccessControl ReadAccess(Reader& read) {
  model::AccessControl access;
  access.token = read.Text();
  access.previous_token = read.Text();
  access.token_is_optional = read.Bool();
  if (!read.SkipNull()) access.token_changed = TimeOf(read.Text());
  access.user_group = read.Text();
  return access;
}

void BindAccess(Writer& write, const model::AccessControl& access) {
  write << access.token << access.previous_token << access.token_is_optional << access.token_changed
        << access.user_group;
}

void ReadUsers(Database& db, model::Records* records) {
  ReadUserRows(db, records);
  ReadTags(db, "SELECT user, key, value FROM user_tag", &records->users);
  ReadUserGroupRows(db, records);
  ReadTags(db, "SELECT user_group, key, value FROM user_group_tag", &records->user_groups);
}

void WriteUsers(Statements& statements, const model::Edit& edit) {
  for (const auto& [id, user] : edit.users) {
    if (user) {
      WriteUserRow(statements, *user);
    } else {
      Drop(statements, "DELETE FROM user WHERE id = ?", id);
    }
  }
  for (const auto& [id, group] : edit.user_groups) {
    if (group) {
      WriteUserGroupRow(statements, *group);
    } else {
      Drop(statements, "DELETE FROM user_group WHERE id = ?", id);
    }
  }
}

}  // namespace ec::store
