// `ecctl group watch`: follows a group live.
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/event_tail.h"
#include "cli/groups.h"
#include "cli/interrupt.h"
#include "cli/lookup.h"

namespace ec::cli {
namespace {

constexpr Duration kLookPause = std::chrono::milliseconds(100);
constexpr Duration kCallTimeout = std::chrono::seconds(2);
constexpr size_t kEventsShown = 12;

// What is told of a group when it changes, by what it is about. Offsets and lag change all the
// time, so they are not.
using Facts = std::map<std::string, std::string>;

Facts FactsOf(const v1::ReplicationGroup& group) {
  Facts facts;
  std::string& status = facts[group.replication_group_id()];
  status = "is " + group.status();
  if (!group.trouble().empty()) status += ": " + group.trouble();
  for (const v1::NodeGroupMember& member : MembersOf(group)) {
    std::string& fact = facts[member.cache_cluster_id()];
    fact = member.current_role().empty() ? "member" : member.current_role();
    if (member.has_in_sync()) fact += member.in_sync() ? " in sync" : " not in sync";
    fact += ", " + member.cache_cluster_status();
    if (member.engine_pid() != 0) fact += fmt::format(", pid {}", member.engine_pid());
    if (!member.trouble().empty()) fact += ": " + member.trouble();
  }
  return facts;
}

// One line per change, for a pipe or a file.
class ChangeLog {
 public:
  // False: nobody reads it any more.
  bool Tell(const Context& context, const v1::ReplicationGroup& group,
            const std::vector<v1::Event>& events) {
    bool read = true;
    for (const v1::Event& event : events) {
      read = read &&
             PrintLineNow(context.json() ? ToJson(event, /*one_line=*/true)
                                         : fmt::format("{}  {}  {}", FormatTime(event.date()),
                                                       event.source_identifier(), event.message()));
    }
    const Facts facts = FactsOf(group);
    if (facts == told_) return read;
    if (context.json()) {
      read = read && PrintLineNow(ToJson(group, /*one_line=*/true));
    } else {
      read = read && TellFacts(ToString(context.now().wall), facts);
    }
    told_ = facts;
    return read;
  }

 private:
  bool TellFacts(const std::string& time, const Facts& facts) const {
    bool read = true;
    for (const auto& [about, fact] : facts) {
      const auto before = told_.find(about);
      if (before != told_.end() && before->second == fact) continue;
      read = read && PrintLineNow(fmt::format("{}  {}  {}", time, about, fact));
    }
    for (const auto& [about, fact] : told_) {
      if (facts.contains(about)) continue;
      read = read && PrintLineNow(fmt::format("{}  {}  has left", time, about));
    }
    return read;
  }

  Facts told_;
};

// The whole group, drawn over the drawing before.
class Screen {
 public:
  void Draw(const Context& context, const v1::ReplicationGroup& group,
            const std::vector<v1::Event>& events, const std::string& note) {
    for (const v1::Event& event : events) events_.push_back(event);
    if (events_.size() > kEventsShown) {
      events_.erase(events_.begin(), events_.end() - static_cast<std::ptrdiff_t>(kEventsShown));
    }
    std::string text = GroupText(context, group, {}, events_) + "\n";
    text += note.empty() ? "\nCtrl-C ends the watching.\n" : "\n" + note + "\n";
    text = CutToHeight(text);
    // Lines that the terminal breaks could not be overwritten, so it cuts them meanwhile.
    const std::string up = height_ == 0 ? "" : fmt::format("\x1b[{}F\x1b[J", height_);
    text = up + "\x1b[?7l" + text + "\x1b[?7h";
    height_ = std::count(text.begin(), text.end(), '\n');
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  }

 private:
  // What has scrolled out could not be overwritten either.
  static std::string CutToHeight(const std::string& text) {
    winsize window = {};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_row < 2) return text;
    size_t end = 0;
    for (int line = 1; line < window.ws_row && end < text.size(); ++line) {
      end = std::min(text.find('\n', end), text.size() - 1) + 1;
    }
    return text.substr(0, end);
  }

  std::ptrdiff_t height_ = 0;
  std::vector<v1::Event> events_;
};

// A watch in progress. Ctrl-C ends the program.
struct GroupWatch {
  Context& context;
  Client& client;
  EventTail tail;
  v1::ReplicationGroup group;
  bool live = false;  // on a terminal
  bool away = false;
  Screen screen;
  ChangeLog log;
};

bool Tell(GroupWatch* watch) {
  for (const std::string& member : watch->group.member_clusters()) watch->tail.Follow(member);
  const std::vector<v1::Event> events = watch->tail.Next();
  if (!watch->live) return watch->log.Tell(watch->context, watch->group, events);
  watch->screen.Draw(watch->context, watch->group, events, "");
  return true;
}

void SetAway(GroupWatch* watch, bool away) {
  constexpr char kNote[] = "the control plane is away; going on when it is back";
  if (away && !watch->away && !watch->live) PrintNote(std::string("ecctl: ") + kNote);
  if (away && watch->live) watch->screen.Draw(watch->context, watch->group, {}, kNote);
  watch->away = away;
  watch->client.set_patience(kCallTimeout, away);
}

Outcome WatchGroup(Context& context, const std::string& id) {
  uint64_t last_serial = 0;
  EC_RETURN_UNLESS_OK(FindLastSerial(context, &last_serial));
  Client* client = nullptr;
  EC_RETURN_UNLESS_OK(context.Connect(&client));
  GroupWatch watch{context, *client, EventTail(context, last_serial), {}};
  EC_RETURN_UNLESS_OK(FindGroup(context, id, &watch.group));
  watch.live = !context.json() && isatty(STDOUT_FILENO) == 1;
  watch.tail.Follow(watch.group.replication_group_id());
  while (Tell(&watch)) {
    Pause(kLookPause);
    v1::ReplicationGroup now;
    const Outcome looked = FindGroup(context, id, &now);
    if (IsNotFound(looked)) {
      PrintNote(fmt::format("{} is gone", watch.group.replication_group_id()));
      return {};
    }
    const bool away = looked.exit == ExitCode::kUnreachable || looked.exit == ExitCode::kTimedOut;
    if (!away) EC_RETURN_UNLESS_OK(looked);
    SetAway(&watch, away);
    if (!away) watch.group = std::move(now);
  }
  return {};  // nobody reads it: said at the end of the program
}

}  // namespace

void AddGroupWatchCommand(CommandLine& line, CLI::App* group) {
  auto id = std::make_shared<std::string>();
  line.AddCommand(
          group, "watch", "Follow a group live, until Ctrl-C or its end",
          [id](Context& context) { return WatchGroup(context, *id); },
          "On a terminal the group is drawn in place; elsewhere there is a line for each change\n"
          "and each event, with --output json an object. Goes on when the control plane "
          "restarts.\n\n"
          "Examples:\n"
          "  ecctl group watch orders\n"
          "  ecctl group watch orders > changes.txt\n")
      .Argument("ID", "REPLICATION-GROUP", id.get(), "The replication group");
}

}  // namespace ec::cli
