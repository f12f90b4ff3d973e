// What the control plane tells one host to be, and what the host says it is. Both sides' pure code
// speaks these; proto/host_plan_proto.h turns them into agent.proto.
//
// Both are complete and numbered, so doing one twice is harmless, losing one is mended by the next
// and an older one is ignored. So that a message stays small, an update carries only what differs
// from a number that the receiver has said it already has (`base`); base 0 carries everything.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/access.h"
#include "common/address.h"
#include "common/engine_kind.h"
#include "common/snapshot_work.h"
#include "common/time.h"
#include "common/wire_fault.h"

namespace ec {

using HostId = std::string;   // chosen by whoever starts the agent: letters, digits, hyphens
using MemberId = uint64_t;    // one engine process's place; never used again
using EndpointId = uint64_t;  // drawn from the same counter; a member's own endpoint has its number

// --- what a host should be ------------------------------------------------------------------

// A Redis member's part in a replication group.
struct ReplicationSpec {
  uint64_t epoch = 0;  // of the group; rises at every change of leader. A host obeys no lower one.
  bool leads = false;
  Address leader;  // the own endpoint of whom it follows; meaningful unless it leads
  // Of a leader: the own endpoints of its followers. With followers, a leader that has died is not
  // started again in the same generation: they hold what it held.
  std::vector<Address> followers;
  uint64_t proof = 0;   // of a leader: a higher number asks for a new proof of who is in sync
  bool paused = false;  // of a leader: its writes wait, because another is about to lead
  friend bool operator==(const ReplicationSpec&, const ReplicationSpec&) = default;
};

// What a Redis needs so that its clients, and its followers' links, are encrypted: then it speaks
// nothing else.
struct TlsSpec {
  // What clients connect to: dotted addresses and host names. The certificate is for all of them.
  std::vector<std::string> names;
  // PEM, put in by whoever sends the plan, and made anew each time: only other names or another
  // authority make a certificate another one. Empty: none could be made.
  std::string certificate;
  std::string key;        // of the certificate
  std::string authority;  // the certificate of whom it is signed by
  // Whether a certificate for the one does for the other.
  bool IsLike(const TlsSpec& other) const {
    return names == other.names && authority == other.authority;
  }
  friend bool operator==(const TlsSpec&, const TlsSpec&) = default;
};

// A user of a Redis, as the engine is to know it.
struct EngineUser {
  std::string name;  // by which clients log in
  std::string id;    // whose it is: when another one gets the name, its connections are closed
  // Access rules in the engine's notation ("on", "#<sha-256>", "~key*", "+@read", "(+get ~b*)"), in
  // their order. The agent adds what no user may do.
  std::vector<std::string> rules;
  friend bool operator==(const EngineUser&, const EngineUser&) = default;
};

// Who may use a Redis. The two secrets are the installation's own: agents administer engines as one
// user, and followers log in to their leaders as another.
struct EngineAccess {
  std::string admin_secret;
  std::string replication_secret;
  std::vector<EngineUser> users;  // by name; without `default`, that one is off
  uint64_t version = 0;           // tells sets of users apart; never 0
  friend bool operator==(const EngineAccess&, const EngineAccess&) = default;
};

struct MemberSpec {
  MemberId id = 0;
  EngineKind engine = EngineKind::kRedis;
  // The engine runs for exactly this generation. A higher one means: stop it and start it empty.
  uint64_t generation = 1;
  std::string label;             // "my-cluster/0001", for logs only
  int64_t memory_max_bytes = 0;  // redis: maxmemory; memcached: -m
  int threads = 1;               // memcached: -t, before the machine's own number of cores
  std::map<std::string, std::string> parameters;  // parameter group names and values
  Address address;         // of its own endpoint: what a Redis calls itself to others
  uint64_t condemned = 0;  // if this launch runs, it is to be killed
  std::optional<ReplicationSpec> replication;  // absent: a master that nobody follows
  // As long as it is there, every launch begins with it; without, with nothing.
  std::optional<Seed> seed;
  std::optional<TlsSpec> tls;  // absent: it speaks plainly. The same for the member's whole life
  // Redis only. Absent: the plan is of a control plane that knew no users.
  std::optional<EngineAccess> access;
  friend bool operator==(const MemberSpec&, const MemberSpec&) = default;
};

// What `config get cluster` answers.
struct Discovery {
  struct Node {
    std::string host;  // as clients should call it; the address itself when there is no name
    Address address;
    MemberId member = 0;  // for the control plane's own use: hosts are not told
    friend bool operator==(const Node&, const Node&) = default;
  };
  uint64_t version = 0;  // rises at every change of the list
  std::vector<Node> nodes;
  friend bool operator==(const Discovery&, const Discovery&) = default;
};

struct EndpointSpec {
  EndpointId id = 0;
  Address listen;
  MemberId target = 0;                 // a member of the same host; 0 when `spread` has some
  std::optional<Discovery> discovery;  // Memcached only
  // Not 0: connections wait until the target leads its group in this epoch (or a later one).
  uint64_t leads_since = 0;
  // Each connection is carried to the next one of these: own endpoints, perhaps of other hosts.
  std::vector<Address> spread;
  Door door;  // who may connect
  // Of an endpoint's second face, for clients from elsewhere than loopback: never handed over, and
  // where its own connections to `spread` come from.
  bool relayed = false;
  Ip4 source;  // 0: from where it listens
  // The target speaks TLS: relayed bytes, too, must get to it where clients' connections do, and
  // never to its own plain socket.
  bool encrypted = false;
  friend bool operator==(const EndpointSpec&, const EndpointSpec&) = default;
};

// Asks for a member's replication offset. Nothing that lasts: when it is lost, it is asked again.
struct OffsetQuestion {
  uint64_t number = 0;  // never used twice, not even by the next control plane
  MemberId member = 0;
  int64_t at_least = 0;  // to be answered once the member has come as far as this
  friend bool operator==(const OffsetQuestion&, const OffsetQuestion&) = default;
};

struct PlanUpdate {
  uint64_t incarnation = 0;  // of the agent that it is meant for
  uint64_t base = 0;         // contains what changed after this revision; 0: everything there is
  uint64_t revision = 0;     // what the receiver then has
  uint64_t answers = 0;      // the newest report of this agent's incarnation that was taken
  std::vector<MemberSpec> members;
  std::vector<EndpointSpec> endpoints;
  std::vector<MemberId> gone_members;  // to be stopped and removed; only when base > 0
  std::vector<EndpointId> gone_endpoints;
  std::vector<OffsetQuestion> questions;
  SharedNetwork network;  // the whole of it; none: it is as it was
  SharedFaults faults;    // all of the host's; none: as they were
  SharedTasks tasks;      // the same
  friend bool operator==(const PlanUpdate&, const PlanUpdate&) = default;
};

struct HostPlan {
  uint64_t revision = 0;
  std::map<MemberId, MemberSpec> members;
  std::map<EndpointId, EndpointSpec> endpoints;
  SharedNetwork network;
  SharedFaults faults;
  SharedTasks tasks;
  friend bool operator==(const HostPlan&, const HostPlan&) = default;
};

// Takes the update in, unless it is older than the plan or there is a gap between them.
// Returns whether it was taken.
bool Merge(const PlanUpdate& update, HostPlan* plan);

// --- what a host says it is -----------------------------------------------------------------

enum class MemberPhase {
  kStarting,  // no answer yet from this launch
  kServing,   // answers on its socket, and through its own endpoint
  kDown,      // dead or found hung; will be started again, perhaps after a pause
  kFailed,    // died too often, or cannot be started at all; left alone until told otherwise
  kStopping,  // being stopped
};

// What the engine of a Redis member that has a part in a group was seen to be.
struct ReplicationReport {
  uint64_t epoch = 0;    // the newest whose role the engine has taken on; 0: none in this launch
  bool leads = false;    // the role that it had when it was looked at last
  bool link_up = false;  // of a follower: the stream from its leader flows
  bool paused = false;   // of a leader: writes wait; `offset` then stays as it is
  uint64_t proof = 0;    // of a leader: the newest proof that `in_sync` comes from
  std::vector<Address> in_sync;  // of a leader: those that had all it had at the proof, and follow
  uint64_t answers = 0;          // the newest OffsetQuestion that `offset` answers
  // In bytes of the replication stream. Alone it is no news: it goes along with what is.
  int64_t offset = 0;
  friend bool operator==(const ReplicationReport&, const ReplicationReport&) = default;
};

struct MemberReport {
  MemberId id = 0;
  uint64_t generation = 0;
  uint64_t launch = 0;   // counts the starts of this member's engine on its host, from 1
  bool resumed = false;  // this launch follows an orderly stop, not a crash; a Redis has its data
  MemberPhase phase = MemberPhase::kStarting;
  int64_t pid = 0;             // of the engine; 0 when none runs
  uint64_t start_time = 0;     // of that process (common/process.h)
  std::string engine_version;  // what the engine itself says; empty until it has answered
  std::string trouble;         // why it is down or failed, in a sentence; empty when all is well
  // Its seed is damaged, or is nothing that it could begin with: it is left alone, and `trouble`
  // says why.
  bool unseeded = false;
  std::optional<ReplicationReport> replication;
  uint64_t access = 0;  // version of the users that this launch has been told; 0: of none
  friend bool operator==(const MemberReport&, const MemberReport&) = default;
};

enum class EndpointTrouble { kNone, kAddressInUse, kAddressNotAvailable, kOther };

// How an admitted connection gets to its engine.
enum class Carry {
  kRelay,       // the agent copies bytes
  kHandOver,    // the engine gets the client's socket, and the agent is out of the way
  kFirstBytes,  // handed over, unless its first bytes ask for the nodes: then relayed
};

// Connections at one endpoint since the agent started.
struct EndpointCounts {
  uint64_t accepted = 0;
  uint64_t refused = 0;  // for any reason
  // Of those; what is left found no engine.
  uint64_t refused_full = 0;      // the agent had as many as it takes
  uint64_t refused_outside = 0;   // the source is no instance of the endpoint's VPC
  uint64_t refused_by_rules = 0;  // an instance of the VPC, whom no rule admits
  uint64_t refused_by_fault = 0;  // a fault refuses them (wire_fault.h)
  // Attempts that were not answered at all (`--deny drop`): not among the accepted ones. A client
  // that is not answered tries again, so they are more than its connections.
  uint64_t dropped_outside = 0;   // the reasons are those of refused_outside
  uint64_t dropped_by_rules = 0;  // and of refused_by_rules
  uint64_t handed_over = 0;       // from then on the engine's affair: neither open nor ended here
  uint64_t relayed = 0;
  uint64_t cut = 0;   // ended because the engine or the endpoint behind them went away
  uint64_t open = 0;  // at the agent now: relayed, or waiting for an engine or for first bytes
  friend bool operator==(const EndpointCounts&, const EndpointCounts&) = default;
};

// Bytes of an endpoint's relayed connections since the agent started.
struct RelayedBytes {
  uint64_t in = 0;   // received from clients
  uint64_t out = 0;  // received from engines
  friend bool operator==(const RelayedBytes&, const RelayedBytes&) = default;
};

struct EndpointReport {
  EndpointId id = 0;
  bool listening = false;
  EndpointTrouble trouble = EndpointTrouble::kNone;
  std::string trouble_text;
  Carry carry = Carry::kRelay;  // of the newest connection, or of the next one if none came yet
  EndpointCounts counts;
  RelayedBytes relayed_bytes;
  friend bool operator==(const EndpointReport&, const EndpointReport&) = default;
};

struct HostReport {
  HostId host;
  uint64_t incarnation = 0;    // higher each time the agent starts
  uint64_t sequence = 0;       // counts this incarnation's reports, from 1
  uint64_t base = 0;           // contains what changed after that report; 0: everything there is
  uint64_t plan_revision = 0;  // the newest plan that the host had when it looked; 0: none yet
  std::vector<MemberReport> members;
  std::vector<EndpointReport> endpoints;
  std::vector<MemberId> gone_members;  // neither process nor directory is left; only when base > 0
  std::vector<EndpointId> gone_endpoints;
  std::vector<TaskReport> tasks;  // all of those in its plan that it has begun, whatever the base
  friend bool operator==(const HostReport&, const HostReport&) = default;
};

// What an agent says of itself once per start.
struct HostHello {
  HostId host;
  std::string zone;
  uint64_t incarnation = 0;
  int members_max = 0;
  int64_t pid = 0;          // of the agent
  uint64_t start_time = 0;  // of that process
  std::string boot;         // the machine's boot: with the control plane's own, pids mean the same
  std::map<EngineKind, std::string> engines;  // installed ones, with their true versions
  friend bool operator==(const HostHello&, const HostHello&) = default;
};

}  // namespace ec
