#include "cli/completion.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>

#include "cli/commands.h"
#include "cli/group_view.h"
#include "cli/help.h"
#include "cli/lookup.h"
#include "cli/network_completion.h"
#include "cli/rpc.h"
#include "cli/snapshot_view.h"
#include "cli/tags.h"
#include "cli/text.h"
#include "cli/users.h"
#include "common/engine_kind.h"

namespace ec::cli {
namespace {

namespace fs = std::filesystem;
using Candidates = std::vector<Candidate>;

constexpr Duration kAskTimeout = std::chrono::milliseconds(400);

// Both call `ecctl __complete WORD...` with the words up to the cursor, the last one half-typed.
constexpr char kBashScript[] =
    R"script(# ecctl completion for bash. To load it: eval "$(ecctl completion bash)"
_ecctl() {
  local line program=${COMP_WORDS[0]/#\~/$HOME}
  COMPREPLY=()
  while IFS= read -r line; do
    COMPREPLY+=("${line%%$'\t'*}")
  done < <("$program" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  if [[ ${#COMPREPLY[@]} -eq 1 && ( ${COMPREPLY[0]} == */ || ${COMPREPLY[0]} == *= ) ]]; then
    compopt -o nospace 2>/dev/null
  fi
}
complete -F _ecctl ecctl
)script";

constexpr char kZshScript[] = R"script(#compdef ecctl
# ecctl completion for zsh. To load it: eval "$(ecctl completion zsh)"
_ecctl() {
  local line word program=${words[1]/#\~/$HOME}
  local -a items nospace
  for line in "${(@f)$("$program" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -z $line ]] && continue
    word=${line%%$'\t'*}
    if [[ $word == */ || $word == *= ]]; then
      nospace+=("$word")
    elif [[ $line == *$'\t'* ]]; then
      items+=("${word//:/\\:}:${line#*$'\t'}")
    else
      items+=("${word//:/\\:}")
    fi
  done
  (( ${#items} )) && _describe 'ecctl' items
  (( ${#nospace} )) && compadd -S '' -- "${nospace[@]}"
}
if [[ $funcstack[1] == _ecctl ]]; then
  _ecctl
elif (( $+functions[compdef] )); then
  compdef _ecctl ecctl
else
  autoload -Uz compinit && compinit && compdef _ecctl ecctl
fi
)script";

// --- values ---------------------------------------------------------------------------------

Candidates Words(const std::vector<std::string>& words) {
  Candidates candidates;
  for (const std::string& word : words) candidates.push_back({word, {}});
  return candidates;
}

Candidates Clusters(Context& context) {
  v1::DescribeCacheClustersResponse response;
  if (!FindClusters(context, &response).ok()) return {};
  Candidates candidates;
  for (const v1::CacheCluster& cluster : response.cache_clusters()) {
    candidates.push_back(
        {cluster.cache_cluster_id(), cluster.engine() + ", " + cluster.cache_cluster_status()});
  }
  return candidates;
}

Candidates Groups(Context& context) {
  v1::DescribeReplicationGroupsResponse response;
  if (!FindGroups(context, &response).ok()) return {};
  Candidates candidates;
  for (const v1::ReplicationGroup& group : response.replication_groups()) {
    candidates.push_back({group.replication_group_id(), "group, " + group.status()});
  }
  return candidates;
}

Candidates ClustersAndGroups(Context& context) {
  Candidates candidates = Clusters(context);
  for (Candidate& group : Groups(context)) candidates.push_back(std::move(group));
  return candidates;
}

Candidates Members(Context& context, const std::string& group_id) {
  v1::ReplicationGroup group;
  if (!FindGroup(context, group_id, &group).ok()) return {};
  Candidates candidates;
  for (const v1::NodeGroupMember& member : MembersOf(group)) {
    candidates.push_back({member.cache_cluster_id(), member.current_role()});
  }
  return candidates;
}

Candidates Nodes(Context& context, const std::string& cluster_id) {
  v1::CacheCluster cluster;
  if (!FindCluster(context, cluster_id, &cluster).ok()) return {};
  Candidates candidates;
  for (const v1::CacheNode& node : cluster.cache_nodes()) {
    candidates.push_back({node.cache_node_id(), node.cache_node_status()});
  }
  return candidates;
}

Candidates NodeTypes(Context& context) {
  v1::DescribeCacheNodeTypesResponse response;
  if (!context.Call(&v1::ElastiCache::Stub::DescribeCacheNodeTypes, {}, &response).ok()) return {};
  Candidates candidates;
  for (const v1::CacheNodeType& type : response.cache_node_types()) {
    std::string memory;
    if (type.has_memory_gib()) memory = fmt::format("{} GiB", type.memory_gib());
    candidates.push_back({type.cache_node_type(), memory});
  }
  return candidates;
}

Candidates EngineVersions(Context& context, const std::string& engine) {
  v1::DescribeCacheEngineVersionsRequest request;
  if (!engine.empty()) request.set_engine(engine);
  v1::DescribeCacheEngineVersionsResponse response;
  if (!context.Call(&v1::ElastiCache::Stub::DescribeCacheEngineVersions, request, &response).ok()) {
    return {};
  }
  Candidates candidates;
  for (const v1::CacheEngineVersion& version : response.cache_engine_versions()) {
    candidates.push_back({version.engine_version(), version.engine()});
  }
  return candidates;
}

Candidates Hosts(Context& context, bool zones) {
  v1::DescribeHostsResponse response;
  if (!context.Call(&v1::Emulator::Stub::DescribeHosts, {}, &response).ok()) return {};
  std::set<std::string> words;
  for (const v1::Host& host : response.hosts()) {
    words.insert(zones ? host.availability_zone() : host.host_id());
  }
  return Words({words.begin(), words.end()});
}

Candidates Targets(Context& context) {
  Candidates candidates = ClustersAndGroups(context);
  v1::DescribeEndpointsResponse response;
  if (!context.Call(&v1::Emulator::Stub::DescribeEndpoints, {}, &response).ok()) return candidates;
  for (const v1::EndpointStatus& one : response.endpoints()) {
    const bool of_group = !one.has_cache_cluster_id();
    candidates.push_back(
        {fmt::format("{}/{}", of_group ? one.replication_group_id() : one.cache_cluster_id(),
                     one.has_cache_node_id() ? one.cache_node_id() : one.kind()),
         one.kind()});
  }
  return candidates;
}

// Of a fault between two.
Candidates Sides(Context& context) {
  Candidates candidates = Hosts(context, true);
  for (Candidate& host : Hosts(context, false)) {
    const auto same = [&](const Candidate& one) { return one.word == host.word; };
    if (std::ranges::none_of(candidates, same)) candidates.push_back(std::move(host));
  }
  candidates.push_back({"control-plane", {}});
  return candidates;
}

Candidates Faults(Context& context) {
  v1::DescribeFaultsResponse response;
  if (!context.Call(&v1::Emulator::Stub::DescribeFaults, {}, &response).ok()) return {};
  Candidates candidates;
  for (const v1::WireFault& fault : response.faults()) {
    candidates.push_back({fault.fault_id(), fault.description()});
  }
  return candidates;
}

Candidates Snapshots(Context& context) {
  v1::DescribeSnapshotsResponse response;
  if (!FindSnapshots(context, {}, &response).ok()) return {};
  Candidates candidates;
  for (const v1::Snapshot& snapshot : response.snapshots()) {
    candidates.push_back(
        {snapshot.snapshot_name(), snapshot.snapshot_source() + ", " + snapshot.snapshot_status()});
  }
  return candidates;
}

Candidates Users(Context& context) {
  v1::DescribeUsersResponse response;
  if (!FindUsers(context, &response).ok()) return {};
  Candidates candidates;
  for (const v1::User& user : response.users()) {
    candidates.push_back({user.user_id(), user.access_string()});
  }
  return candidates;
}

Candidates UserGroups(Context& context) {
  v1::DescribeUserGroupsResponse response;
  if (!FindUserGroups(context, &response).ok()) return {};
  Candidates candidates;
  for (const v1::UserGroup& group : response.user_groups()) {
    candidates.push_back({group.user_group_id(), group.status()});
  }
  return candidates;
}

Candidates TagKeys(Context& context, const std::string& resource) {
  v1::ListTagsForResourceRequest request;
  if (!FindArn(context, resource, request.mutable_resource_name()).ok()) return {};
  v1::ListTagsForResourceResponse response;
  if (!context.Call(&v1::ElastiCache::Stub::ListTagsForResource, request, &response).ok()) {
    return {};
  }
  Candidates candidates;
  for (const v1::Tag& tag : response.tag_list()) candidates.push_back({tag.key(), tag.value()});
  return candidates;
}

Candidates RpcMethods() {
  Candidates candidates;
  for (const std::string& name : RpcMethodNames()) {
    const size_t slash = name.find('/');
    candidates.push_back({name.substr(slash + 1), name.substr(0, slash)});
  }
  return candidates;
}

Candidates Directories(const std::string& prefix) {
  const size_t slash = prefix.rfind('/');
  const std::string parent = slash == std::string::npos ? "" : prefix.substr(0, slash + 1);
  Candidates candidates;
  std::error_code error;
  for (fs::directory_iterator entry(parent.empty() ? "." : parent, error), end;
       !error && entry != end; entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_directory(ignored)) {
      candidates.push_back({parent + entry->path().filename().string() + "/", {}});
    }
  }
  return candidates;
}

Candidates Subcommands(const CLI::App& app) {
  Candidates candidates;
  for (const CLI::App* command : CommandsOf(app)) {
    candidates.push_back({command->get_name(), command->get_description()});
  }
  return candidates;
}

std::string EngineGiven(const Walk& walk) {
  for (const auto& [option, value] : walk.values) {
    if (option->check_lname("engine")) return value;
  }
  return {};
}

// The values of `option`: its type_name says which these are.
Candidates ValuesOf(CommandLine& line, Context& context, const CLI::Option& option,
                    const Walk& walk, const std::string& prefix) {
  const std::string kind = option.get_type_name();
  const std::string first = walk.arguments.empty() ? "" : walk.arguments.front();
  if (auto network = NetworkValues(context, kind)) return *network;
  if (kind == "CLUSTER") return Clusters(context);
  if (kind == "REPLICATION-GROUP") return Groups(context);
  if (kind == "CLUSTER|GROUP") return ClustersAndGroups(context);
  if (kind == "MEMBER") return Members(context, first);
  if (kind == "NODE" || kind == "NODES") return Nodes(context, first);
  if (kind == "TYPE") return NodeTypes(context);
  if (kind == "VERSION") return EngineVersions(context, EngineGiven(walk));
  if (kind == "HOST") return Hosts(context, false);
  if (kind == "ZONE" || kind == "ZONES") return Hosts(context, true);
  if (kind == "TARGET") return Targets(context);
  if (kind == "SIDE SIDE") return Sides(context);
  if (kind == "FAULT") return Faults(context);
  if (kind == "SNAPSHOT") return Snapshots(context);
  if (kind == "USER" || kind == "USERS") return Users(context);
  if (kind == "USER-GROUP") return UserGroups(context);
  if (kind == "STRATEGY") return Words({"rotate", "set", "delete"});
  if (kind == "KIND") return Words({"automated", "manual"});
  if (kind == "KEY") return TagKeys(context, first);
  if (kind == "METHOD") return RpcMethods();
  if (kind == "DIR") return Directories(prefix);
  if (kind == "FORMAT") return Words({"table", "json"});
  if (kind == "LEVEL") return Words({"debug", "info", "warning", "error"});
  if (kind == "MODE") return Words({"single-az", "cross-az"});
  if (kind == "STATUS") return Words({"active", "inactive"});
  if (kind == "SHELL") return Words({"bash", "zsh"});
  if (kind == "COMMAND") return Subcommands(*line.WalkAlong(walk.arguments).app);
  if (kind == "ENGINE") {
    Candidates candidates;
    for (const EngineKind engine : kAllEngines) candidates.push_back({std::string(NameOf(engine))});
    return candidates;
  }
  return {};
}

// --- the last word --------------------------------------------------------------------------

Candidates OptionsOf(CLI::App* app) {
  Candidates candidates;
  for (; app != nullptr; app = app->get_parent()) {
    for (const CLI::Option* option : app->get_options()) {
      for (const std::string& name : option->get_lnames()) {
        candidates.push_back({"--" + name, option->get_description()});
      }
    }
  }
  return candidates;
}

// Where the argument that comes next is declared; null if the command takes no more.
const CLI::Option* NextArgument(const Walk& walk) {
  size_t before = 0;
  for (const CLI::Option* option : walk.app->get_options()) {
    if (!option->get_positional()) continue;
    before += static_cast<size_t>(option->get_items_expected_max());
    if (walk.arguments.size() < before) return option;
  }
  return nullptr;
}

void KeepMatching(const std::string& prefix, Candidates* candidates) {
  std::erase_if(*candidates, [&](const Candidate& one) { return !one.word.starts_with(prefix); });
}

// The context in which the service is asked: that of the options typed so far.
GlobalOptions GlobalsOf(CommandLine& line, const Walk& walk) {
  std::vector<std::string> words = {"version"};
  for (const auto& [option, value] : walk.values) {
    if (option == FindOption(line.root(), "--dir") ||
        option == FindOption(line.root(), "--address")) {
      words.push_back(option->get_name() + "=" + value);
    }
  }
  Invocation ignored;
  const bool good = line.Parse(words, &ignored).ok();
  GlobalOptions global = good ? line.global() : GlobalOptions{};
  global.timeout = kAskTimeout;
  return global;
}

// Lists are completed at their last element.
Candidates CompleteValue(CommandLine& line, const Walk& walk, const CLI::Option& option,
                         const std::string& typed) {
  const bool is_list = option.get_delimiter() == ',';
  const size_t comma = is_list ? typed.rfind(',') : std::string::npos;
  const std::string before = comma == std::string::npos ? "" : typed.substr(0, comma + 1);
  Context context(GlobalsOf(line, walk), {});
  Candidates candidates = ValuesOf(line, context, option, walk, typed);
  for (Candidate& one : candidates) one.word = before + one.word;
  KeepMatching(typed, &candidates);
  return candidates;
}

}  // namespace

std::vector<Candidate> Complete(CommandLine& line, const std::vector<std::string>& words) {
  std::string typed = words.empty() ? "" : words.back();
  const std::vector<std::string> before(words.begin(), words.end() - (words.empty() ? 0 : 1));
  const Walk walk = line.WalkAlong(before);
  if (walk.dashes || !walk.unknown_command.empty()) return {};
  if (walk.awaiting != nullptr) {
    return CompleteValue(line, walk, *walk.awaiting, typed == "=" ? "" : typed);
  }
  const size_t equals = typed.find('=');
  if (typed.starts_with("--") && equals != std::string::npos) {
    const CLI::Option* option = FindOption(walk.app, typed);
    if (option == nullptr || !TakesValue(*option)) return {};
    Candidates values = CompleteValue(line, walk, *option, typed.substr(equals + 1));
    for (Candidate& one : values) one.word = typed.substr(0, equals + 1) + one.word;
    return values;
  }
  Candidates candidates;
  if (typed.starts_with("-")) {
    candidates = OptionsOf(walk.app);
  } else if (!CommandsOf(*walk.app).empty()) {
    candidates = Subcommands(*walk.app);
  } else if (const CLI::Option* argument = NextArgument(walk); argument != nullptr) {
    return CompleteValue(line, walk, *argument, typed);
  }
  KeepMatching(typed, &candidates);
  return candidates;
}

void AddCompletionCommands(CommandLine& line) {
  auto shell = std::make_shared<std::string>();
  line.AddTopCommand(
          kProgramSection, "completion", "Print a script that completes ecctl's words in a shell",
          [shell](Context&) {
            const std::string_view script = *shell == "zsh" ? kZshScript : kBashScript;
            PrintLine(script.substr(0, script.size() - 1));
            return Outcome{};
          },
          "Examples:\n"
          "  eval \"$(ecctl completion bash)\"     # in ~/.bashrc\n"
          "  eval \"$(ecctl completion zsh)\"      # in ~/.zshrc, after compinit\n")
      .Argument("SHELL", "SHELL", shell.get(), "bash or zsh")
      .OneOf({"bash", "zsh"});

  auto topic = std::make_shared<std::vector<std::string>>();
  line.AddTopCommand(
          kProgramSection, "help", "Print help for a command",
          [&line, topic](Context&) {
            const Walk walk = line.WalkAlong(*topic);
            if (!walk.unknown_command.empty() || !walk.arguments.empty()) {
              return UsageError(fmt::format("there is no command '{}'", fmt::join(*topic, " ")));
            }
            const std::string text = HelpText(*walk.app);
            PrintLine(std::string_view(text).substr(0, text.size() - 1));
            return Outcome{};
          },
          "Examples:\n  ecctl help cluster create\n")
      .Arguments("COMMAND", "COMMAND", /*required=*/false, topic.get(), "The words of the command");
}

}  // namespace ec::cli
