#include "controlplane/store/schema.h"

#include <iterator>

#include "common/check.h"

namespace ec::store {
namespace {

// Times are ISO 8601 in UTC and addresses dotted quads, so that `sqlite3 emucache.db` shows a
// person the state. A step that would break a rule of the records is refused by the database, too:
// the constraints and triggers repeat what the core promises.
constexpr std::string_view kVersion1 = R"sql(
CREATE TABLE installation (
  one         INTEGER PRIMARY KEY CHECK (one = 1),
  revision    INTEGER NOT NULL CHECK (revision >= 0),
  region      TEXT    NOT NULL,
  account     TEXT    NOT NULL,
  vpc_cidr    TEXT    NOT NULL,
  next_id     INTEGER NOT NULL CHECK (next_id >= 1),
  next_event  INTEGER NOT NULL CHECK (next_event >= 1)
) STRICT;
INSERT INTO installation VALUES (1, 0, '', '', '0.0.0.0/0', 1, 1);

CREATE TRIGGER revision_only_rises BEFORE UPDATE OF revision ON installation
WHEN new.revision <> old.revision + 1
BEGIN SELECT RAISE(ABORT, 'the revision must rise by one'); END;

CREATE TABLE node_type (
  name                           TEXT PRIMARY KEY,
  vcpu                           INTEGER NOT NULL CHECK (vcpu >= 1),
  memory_gib                     REAL,
  redis_maxmemory_bytes          INTEGER,
  memcached_max_cache_memory_mb  INTEGER,
  generation                     TEXT NOT NULL CHECK (generation IN ('current', 'previous')),
  backups_supported              INTEGER NOT NULL CHECK (backups_supported IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE TABLE zone (
  name         TEXT PRIMARY KEY,
  subnet_cidr  TEXT NOT NULL UNIQUE,
  next_offset  INTEGER NOT NULL CHECK (next_offset >= 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE host (
  id           TEXT PRIMARY KEY,
  zone         TEXT NOT NULL REFERENCES zone (name),
  incarnation  INTEGER NOT NULL,
  members_max  INTEGER NOT NULL CHECK (members_max >= 1),
  pid          INTEGER NOT NULL,
  registered   TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE host_engine (
  host     TEXT NOT NULL REFERENCES host (id) ON DELETE CASCADE,
  engine   TEXT NOT NULL CHECK (engine IN ('memcached', 'redis', 'valkey')),
  version  TEXT NOT NULL,
  PRIMARY KEY (host, engine)
) STRICT, WITHOUT ROWID;

CREATE TABLE cluster (
  id                          TEXT PRIMARY KEY,
  status                      TEXT NOT NULL CHECK (status IN (
                                'creating', 'available', 'modifying', 'rebooting', 'recovering',
                                'deleting', 'create-failed', 'incompatible-network', 'failed')),
  engine                      TEXT NOT NULL CHECK (engine IN ('memcached', 'redis', 'valkey')),
  engine_version              TEXT NOT NULL,
  family                      TEXT NOT NULL,
  node_type                   TEXT NOT NULL REFERENCES node_type (name),
  port                        INTEGER NOT NULL CHECK (port BETWEEN 1 AND 65535),
  node_count                  INTEGER NOT NULL CHECK (node_count BETWEEN 1 AND 40),
  cross_zone                  INTEGER NOT NULL CHECK (cross_zone IN (0, 1)),
  created                     TEXT NOT NULL,
  maintenance_window          TEXT NOT NULL,
  parameter_group             TEXT NOT NULL,
  subnet_group                TEXT NOT NULL,
  auto_minor_version_upgrade  INTEGER NOT NULL CHECK (auto_minor_version_upgrade IN (0, 1)),
  snapshot_retention          INTEGER NOT NULL CHECK (snapshot_retention BETWEEN 0 AND 35),
  snapshot_window             TEXT NOT NULL,
  topic_arn                   TEXT,
  topic_active                INTEGER CHECK (topic_active IN (0, 1)),
  pending_nodes               INTEGER CHECK (pending_nodes BETWEEN 1 AND 40),
  pending_version             TEXT,
  pending_due                 TEXT,
  resized_from                INTEGER NOT NULL CHECK (resized_from >= 0),
  configuration_id            INTEGER UNIQUE,
  configuration_ip            TEXT UNIQUE,
  configuration_host          TEXT REFERENCES host (id),
  configuration_readdressed   INTEGER,
  discovery_version           INTEGER NOT NULL,
  discovery_revision          INTEGER NOT NULL,
  revision                    INTEGER NOT NULL,
  CHECK (engine = 'memcached' OR node_count = 1),
  CHECK (engine = 'memcached' OR configuration_id IS NULL),
  CHECK (engine <> 'memcached' OR snapshot_retention = 0),
  CHECK ((topic_arn IS NULL) = (topic_active IS NULL)),
  CHECK ((configuration_id IS NULL) = (configuration_ip IS NULL)),
  CHECK ((configuration_id IS NULL) = (configuration_host IS NULL))
) STRICT, WITHOUT ROWID;

CREATE TRIGGER node_type_is_fixed BEFORE UPDATE OF node_type ON cluster
WHEN new.node_type <> old.node_type
BEGIN SELECT RAISE(ABORT, 'the node type of a cluster is fixed'); END;

CREATE TRIGGER discovery_only_rises BEFORE UPDATE OF discovery_version ON cluster
WHEN new.discovery_version < old.discovery_version
BEGIN SELECT RAISE(ABORT, 'the discovery version must not fall'); END;

CREATE TABLE cluster_tag (
  cluster  TEXT NOT NULL REFERENCES cluster (id) ON DELETE CASCADE,
  key      TEXT NOT NULL,
  value    TEXT NOT NULL,
  PRIMARY KEY (cluster, key)
) STRICT, WITHOUT ROWID;

-- Short lists of a cluster, in their order.
CREATE TABLE cluster_list (
  cluster   TEXT NOT NULL REFERENCES cluster (id) ON DELETE CASCADE,
  kind      TEXT NOT NULL CHECK (kind IN ('security-group', 'pending-remove', 'pending-zone')),
  position  INTEGER NOT NULL,
  value     TEXT NOT NULL,
  PRIMARY KEY (cluster, kind, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE member (
  id                  INTEGER PRIMARY KEY CHECK (id >= 1),
  cluster             TEXT NOT NULL REFERENCES cluster (id),
  node_id             TEXT NOT NULL,
  status              TEXT NOT NULL CHECK (status IN (
                        'creating', 'available', 'rebooting', 'recovering', 'deleting', 'failed')),
  host                TEXT NOT NULL REFERENCES host (id),
  zone                TEXT NOT NULL REFERENCES zone (name),
  ip                  TEXT NOT NULL UNIQUE,
  port                INTEGER NOT NULL CHECK (port BETWEEN 1 AND 65535),
  generation          INTEGER NOT NULL CHECK (generation >= 1),
  launch              INTEGER NOT NULL,
  listed              INTEGER NOT NULL CHECK (listed IN (0, 1)),
  readdressed         INTEGER NOT NULL,
  created             TEXT NOT NULL,
  installed_version   TEXT NOT NULL,
  trouble             TEXT NOT NULL,
  recovery_announced  INTEGER NOT NULL CHECK (recovery_announced IN (0, 1)),
  revision            INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX one_member_per_node ON member (cluster, node_id) WHERE node_id <> '';
CREATE INDEX members_of_host ON member (host);

CREATE TRIGGER member_stays BEFORE UPDATE OF host, cluster, generation ON member
WHEN new.host <> old.host OR new.cluster <> old.cluster OR new.generation < old.generation
BEGIN SELECT RAISE(ABORT, 'a member never moves, and its generation never falls'); END;

CREATE TABLE event (
  serial       INTEGER PRIMARY KEY CHECK (serial >= 1),
  date         TEXT NOT NULL,
  source_type  TEXT NOT NULL,
  source_id    TEXT NOT NULL,
  message      TEXT NOT NULL
) STRICT;

CREATE TRIGGER events_are_final BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'events do not change'); END;
)sql";

// A cluster that goes must have no members left: without this, looking for one reads them all.
// (The index on cluster and node_id leaves members out, so it cannot answer.)
constexpr std::string_view kVersion2 = R"sql(
CREATE INDEX members_of_cluster ON member (cluster);
)sql";

constexpr std::string_view kVersion3 = R"sql(
CREATE TABLE replication_group (
  id                  TEXT PRIMARY KEY,
  status              TEXT NOT NULL CHECK (status IN (
                        'creating', 'available', 'modifying', 'deleting', 'create-failed')),
  description         TEXT NOT NULL,
  automatic_failover  INTEGER NOT NULL CHECK (automatic_failover IN (0, 1)),
  multi_az            INTEGER NOT NULL CHECK (multi_az IN (0, 1)),
  created             TEXT NOT NULL,
  next_number         INTEGER NOT NULL CHECK (next_number >= 1),
  leader              INTEGER NOT NULL,
  epoch               INTEGER NOT NULL CHECK (epoch >= 1),
  port                INTEGER NOT NULL CHECK (port BETWEEN 1 AND 65535),
  primary_id          INTEGER NOT NULL UNIQUE,
  primary_ip          TEXT NOT NULL UNIQUE,
  primary_host        TEXT NOT NULL REFERENCES host (id),
  reader_id           INTEGER NOT NULL UNIQUE,
  reader_ip           TEXT NOT NULL UNIQUE,
  reader_host         TEXT NOT NULL REFERENCES host (id),
  proof               INTEGER NOT NULL,
  step                TEXT NOT NULL CHECK (step IN ('none', 'pausing', 'demoting')),
  successor           INTEGER NOT NULL,
  pending_primary     TEXT,
  pending_due         TEXT,
  promoting           TEXT,
  demoting            TEXT,
  tested              TEXT,
  lost_bytes          INTEGER,
  lost_ms             INTEGER,
  trouble             TEXT NOT NULL,
  revision            INTEGER NOT NULL,
  CHECK ((pending_primary IS NULL) = (pending_due IS NULL)),
  CHECK (NOT multi_az OR automatic_failover)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER epoch_only_rises BEFORE UPDATE ON replication_group
WHEN new.epoch < old.epoch OR (new.leader <> old.leader AND new.epoch = old.epoch)
BEGIN SELECT RAISE(ABORT, 'the epoch rises at every change of leader, and never falls'); END;

CREATE TABLE group_tag (
  replication_group  TEXT NOT NULL REFERENCES replication_group (id) ON DELETE CASCADE,
  key                TEXT NOT NULL,
  value              TEXT NOT NULL,
  PRIMARY KEY (replication_group, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE group_test (
  replication_group  TEXT NOT NULL REFERENCES replication_group (id) ON DELETE CASCADE,
  position           INTEGER NOT NULL,
  called             TEXT NOT NULL,
  PRIMARY KEY (replication_group, position)
) STRICT, WITHOUT ROWID;

ALTER TABLE cluster ADD COLUMN replication_group TEXT REFERENCES replication_group (id)
  CHECK (replication_group IS NULL OR engine <> 'memcached');
CREATE INDEX clusters_of_group ON cluster (replication_group) WHERE replication_group IS NOT NULL;

ALTER TABLE member ADD COLUMN in_sync INTEGER NOT NULL DEFAULT 0 CHECK (in_sync IN (0, 1));
ALTER TABLE member ADD COLUMN pid INTEGER NOT NULL DEFAULT 0;
ALTER TABLE member ADD COLUMN start_time INTEGER NOT NULL DEFAULT 0;
ALTER TABLE member ADD COLUMN pid_incarnation INTEGER NOT NULL DEFAULT 0;
ALTER TABLE member ADD COLUMN condemned INTEGER NOT NULL DEFAULT 0;

ALTER TABLE host ADD COLUMN start_time INTEGER NOT NULL DEFAULT 0;
ALTER TABLE host ADD COLUMN boot TEXT NOT NULL DEFAULT '';
)sql";

constexpr std::string_view kVersion4 = R"sql(
CREATE TABLE vpc (
  id          TEXT PRIMARY KEY,
  cidr        TEXT NOT NULL,
  slice_cidr  TEXT NOT NULL UNIQUE,
  is_default  INTEGER NOT NULL CHECK (is_default IN (0, 1)),
  revision    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX one_default_vpc ON vpc (is_default) WHERE is_default = 1;

CREATE TABLE subnet (
  id           TEXT PRIMARY KEY,
  vpc          TEXT NOT NULL REFERENCES vpc (id),
  zone         TEXT NOT NULL,
  cidr         TEXT NOT NULL,
  is_default   INTEGER NOT NULL CHECK (is_default IN (0, 1)),
  next_offset  INTEGER NOT NULL CHECK (next_offset >= 0),
  revision     INTEGER NOT NULL,
  UNIQUE (vpc, cidr)
) STRICT, WITHOUT ROWID;

CREATE TABLE security_group (
  id           TEXT PRIMARY KEY,
  name         TEXT NOT NULL,
  description  TEXT NOT NULL,
  vpc          TEXT NOT NULL REFERENCES vpc (id),
  revision     INTEGER NOT NULL,
  UNIQUE (vpc, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE security_group_rule (
  security_group  TEXT NOT NULL REFERENCES security_group (id) ON DELETE CASCADE,
  egress          INTEGER NOT NULL CHECK (egress IN (0, 1)),
  position        INTEGER NOT NULL,
  id              TEXT NOT NULL UNIQUE,
  protocol        TEXT NOT NULL,
  from_port       INTEGER NOT NULL,
  to_port         INTEGER NOT NULL,
  cidr            TEXT,
  source_group    TEXT,
  description     TEXT NOT NULL,
  PRIMARY KEY (security_group, egress, position),
  CHECK ((cidr IS NULL) <> (source_group IS NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE instance (
  id        TEXT PRIMARY KEY,
  subnet    TEXT REFERENCES subnet (id),
  vpc       TEXT NOT NULL REFERENCES vpc (id),
  ip        TEXT NOT NULL,
  network   TEXT UNIQUE,
  launched  TEXT NOT NULL,
  revision  INTEGER NOT NULL,
  UNIQUE (vpc, ip)
) STRICT, WITHOUT ROWID;

CREATE TABLE instance_group (
  instance        TEXT NOT NULL REFERENCES instance (id) ON DELETE CASCADE,
  position        INTEGER NOT NULL,
  security_group  TEXT NOT NULL REFERENCES security_group (id),
  PRIMARY KEY (instance, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE cache_subnet_group (
  name         TEXT PRIMARY KEY,
  description  TEXT NOT NULL,
  vpc          TEXT NOT NULL REFERENCES vpc (id),
  revision     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE cache_subnet_group_subnet (
  cache_subnet_group  TEXT NOT NULL REFERENCES cache_subnet_group (name) ON DELETE CASCADE,
  position            INTEGER NOT NULL,
  subnet              TEXT NOT NULL REFERENCES subnet (id),
  PRIMARY KEY (cache_subnet_group, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE cache_subnet_group_tag (
  cache_subnet_group  TEXT NOT NULL REFERENCES cache_subnet_group (name) ON DELETE CASCADE,
  key                 TEXT NOT NULL,
  value               TEXT NOT NULL,
  PRIMARY KEY (cache_subnet_group, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX instances_of_subnet ON instance (subnet);
CREATE INDEX instances_of_security_group ON instance_group (security_group);
CREATE INDEX cache_subnet_groups_of_vpc ON cache_subnet_group (vpc);
CREATE INDEX cache_subnet_groups_of_subnet ON cache_subnet_group_subnet (subnet);

-- NULL: a cluster of an earlier version, until the default VPC is there.
ALTER TABLE cluster ADD COLUMN vpc TEXT REFERENCES vpc (id);
CREATE INDEX clusters_of_vpc ON cluster (vpc);

-- The subnets have it now.
ALTER TABLE zone DROP COLUMN next_offset;

ALTER TABLE installation ADD COLUMN next_slice INTEGER NOT NULL DEFAULT 0;
-- Address mode `ports`: an empty host means that it is off.
ALTER TABLE installation ADD COLUMN outside_host TEXT NOT NULL DEFAULT '';
ALTER TABLE installation ADD COLUMN outside_ip TEXT NOT NULL DEFAULT '0.0.0.0';
ALTER TABLE installation ADD COLUMN outside_first_port INTEGER NOT NULL DEFAULT 0;
ALTER TABLE installation ADD COLUMN outside_last_port INTEGER NOT NULL DEFAULT 0;

CREATE TABLE outside_port (
  endpoint  INTEGER PRIMARY KEY,
  port      INTEGER NOT NULL UNIQUE
) STRICT;

-- Of VPCs, subnets, security groups and instances: EC2's ids are unlike each other.
CREATE TABLE network_tag (
  resource  TEXT NOT NULL,
  key       TEXT NOT NULL,
  value     TEXT NOT NULL,
  PRIMARY KEY (resource, key)
) STRICT, WITHOUT ROWID;

-- What people have put in to try out their clients. One that is over leaves no row.
CREATE TABLE wire_fault (
  number      INTEGER PRIMARY KEY CHECK (number >= 1),
  kind        TEXT    NOT NULL CHECK (kind IN (
                'latency', 'bandwidth', 'blackhole', 'refuse', 'reset-after', 'cut', 'partition',
                'engine-kill', 'engine-pause', 'host-loss')),
  target      TEXT    NOT NULL,
  side        TEXT    NOT NULL,
  other_side  TEXT    NOT NULL,
  host        TEXT    NOT NULL,
  delay_us    INTEGER NOT NULL CHECK (delay_us >= 0),
  jitter_us   INTEGER NOT NULL CHECK (jitter_us BETWEEN 0 AND delay_us),
  bytes       INTEGER NOT NULL,
  created     TEXT    NOT NULL,
  expires     TEXT,
  CHECK ((target <> '') + (side <> '') + (host <> '') = 1),
  CHECK ((side = '') = (other_side = ''))
) STRICT;

CREATE TRIGGER faults_are_final BEFORE UPDATE ON wire_fault
BEGIN SELECT RAISE(ABORT, 'a fault does not change'); END;
)sql";

// `sub_status` says more of a status than the first versions' lists have: "snapshotting" beside
// 'modifying', and "restore-failed" beside 'create-failed'.
constexpr std::string_view kVersion5 = R"sql(
ALTER TABLE installation ADD COLUMN clock_offset_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE installation ADD COLUMN clock_frozen TEXT;

ALTER TABLE cluster ADD COLUMN sub_status TEXT NOT NULL DEFAULT ''
  CHECK (sub_status IN ('', 'snapshotting', 'restore-failed'));
ALTER TABLE cluster ADD COLUMN seed_file INTEGER;
ALTER TABLE cluster ADD COLUMN seed_sha256 TEXT;
ALTER TABLE cluster ADD COLUMN seed_bucket TEXT;
ALTER TABLE cluster ADD COLUMN seed_key TEXT;
ALTER TABLE cluster ADD COLUMN seed_name TEXT;
ALTER TABLE cluster ADD COLUMN seed_memory_max INTEGER;
ALTER TABLE cluster ADD COLUMN next_backup TEXT;

-- Manual backups of the last 24 hours.
CREATE TABLE cluster_backup (
  cluster   TEXT NOT NULL REFERENCES cluster (id) ON DELETE CASCADE,
  position  INTEGER NOT NULL,
  begun     TEXT NOT NULL,
  PRIMARY KEY (cluster, position)
) STRICT, WITHOUT ROWID;

ALTER TABLE replication_group ADD COLUMN sub_status TEXT NOT NULL DEFAULT ''
  CHECK (sub_status IN ('', 'snapshotting'));
ALTER TABLE replication_group ADD COLUMN snapshotting TEXT NOT NULL DEFAULT '';
ALTER TABLE replication_group ADD COLUMN next_backup TEXT;

-- Of its origin, the names are those of the time: the cluster may be long gone.
CREATE TABLE snapshot (
  name                        TEXT PRIMARY KEY,
  file                        INTEGER NOT NULL UNIQUE CHECK (file >= 1),
  status                      TEXT NOT NULL CHECK (status IN (
                                'creating', 'available', 'exporting', 'deleting', 'failed')),
  automatic                   INTEGER NOT NULL CHECK (automatic IN (0, 1)),
  after                       TEXT NOT NULL CHECK (after IN ('nothing', 'delete', 'demote')),
  demote_group                TEXT NOT NULL,
  demote_master               TEXT NOT NULL,
  demote_new_group            TEXT NOT NULL,
  cluster                     TEXT NOT NULL,
  replication_group           TEXT NOT NULL,
  group_description           TEXT NOT NULL,
  automatic_failover          INTEGER NOT NULL CHECK (automatic_failover IN (0, 1)),
  clusters                    INTEGER NOT NULL CHECK (clusters >= 1),
  engine                      TEXT NOT NULL CHECK (engine IN ('redis', 'valkey')),
  engine_version              TEXT NOT NULL,
  node_type                   TEXT NOT NULL,
  port                        INTEGER NOT NULL,
  parameter_group             TEXT NOT NULL,
  subnet_group                TEXT NOT NULL,
  vpc                         TEXT NOT NULL,
  zone                        TEXT NOT NULL,
  maintenance_window          TEXT NOT NULL,
  snapshot_window             TEXT NOT NULL,
  retention                   INTEGER NOT NULL CHECK (retention BETWEEN 0 AND 35),
  auto_minor_version_upgrade  INTEGER NOT NULL CHECK (auto_minor_version_upgrade IN (0, 1)),
  topic_arn                   TEXT NOT NULL,
  cluster_created             TEXT NOT NULL,
  created                     TEXT NOT NULL,
  expires                     TEXT,
  bytes                       INTEGER NOT NULL,
  memory_bytes                INTEGER NOT NULL,
  keys                        INTEGER NOT NULL,
  sha256                      TEXT NOT NULL,
  writer_version              TEXT NOT NULL,
  trouble                     TEXT NOT NULL,
  task                        INTEGER NOT NULL,
  task_kind                   TEXT NOT NULL CHECK (task_kind IN (
                                'backup', 'copy', 'import', 'export', 'drop')),
  task_host                   TEXT NOT NULL,
  task_member                 INTEGER NOT NULL,
  task_source                 INTEGER NOT NULL,
  task_source_sha256          TEXT NOT NULL,
  task_bucket                 TEXT NOT NULL,
  task_key                    TEXT NOT NULL,
  revision                    INTEGER NOT NULL,
  CHECK (expires IS NULL OR automatic),
  CHECK (status NOT IN ('available', 'exporting') OR length(sha256) = 64)
) STRICT, WITHOUT ROWID;


CREATE TABLE snapshot_tag (
  snapshot  TEXT NOT NULL REFERENCES snapshot (name) ON DELETE CASCADE,
  key       TEXT NOT NULL,
  value     TEXT NOT NULL,
  PRIMARY KEY (snapshot, key)
) STRICT, WITHOUT ROWID;
)sql";

constexpr std::string_view kVersion6 = R"sql(
ALTER TABLE vpc ADD COLUMN dns_support INTEGER NOT NULL DEFAULT 1 CHECK (dns_support IN (0, 1));
ALTER TABLE vpc ADD COLUMN dns_hostnames INTEGER NOT NULL DEFAULT 0
  CHECK (dns_hostnames IN (0, 1));
ALTER TABLE vpc ADD COLUMN usage_metrics INTEGER NOT NULL DEFAULT 0
  CHECK (usage_metrics IN (0, 1));
ALTER TABLE subnet ADD COLUMN public_ip_on_launch INTEGER NOT NULL DEFAULT 0
  CHECK (public_ip_on_launch IN (0, 1));

CREATE TABLE cache_parameter_group (
  name          TEXT PRIMARY KEY,
  family        TEXT NOT NULL,
  description   TEXT NOT NULL,
  reboot_since  INTEGER NOT NULL,
  revision      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The values that are not the family's.
CREATE TABLE cache_parameter_group_value (
  cache_parameter_group  TEXT NOT NULL REFERENCES cache_parameter_group (name) ON DELETE CASCADE,
  name                   TEXT NOT NULL,
  value                  TEXT NOT NULL,
  PRIMARY KEY (cache_parameter_group, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE cache_parameter_group_tag (
  cache_parameter_group  TEXT NOT NULL REFERENCES cache_parameter_group (name) ON DELETE CASCADE,
  key                    TEXT NOT NULL,
  value                  TEXT NOT NULL,
  PRIMARY KEY (cache_parameter_group, key)
) STRICT, WITHOUT ROWID;

ALTER TABLE cluster ADD COLUMN parameter_group_since INTEGER NOT NULL DEFAULT 0;
ALTER TABLE member ADD COLUMN parameters_revision INTEGER NOT NULL DEFAULT 0;
)sql";

// Of tokens and passwords only the SHA-256 is kept. The installation's own secrets have to be told
// to its agents, and so are here as they are: the file is its owner's alone.
constexpr std::string_view kVersion7 = R"sql(
ALTER TABLE cluster ADD COLUMN transit_encryption INTEGER NOT NULL DEFAULT 0
  CHECK (transit_encryption IN (0, 1));
ALTER TABLE replication_group ADD COLUMN transit_encryption INTEGER NOT NULL DEFAULT 0
  CHECK (transit_encryption IN (0, 1));

ALTER TABLE installation ADD COLUMN admin_secret TEXT NOT NULL DEFAULT '';
ALTER TABLE installation ADD COLUMN replication_secret TEXT NOT NULL DEFAULT '';

ALTER TABLE cluster ADD COLUMN token TEXT NOT NULL DEFAULT '';
ALTER TABLE cluster ADD COLUMN previous_token TEXT NOT NULL DEFAULT '';
ALTER TABLE cluster ADD COLUMN token_is_optional INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cluster ADD COLUMN token_changed TEXT;
ALTER TABLE cluster ADD COLUMN user_group TEXT NOT NULL DEFAULT '';
ALTER TABLE replication_group ADD COLUMN token TEXT NOT NULL DEFAULT '';
ALTER TABLE replication_group ADD COLUMN previous_token TEXT NOT NULL DEFAULT '';
ALTER TABLE replication_group ADD COLUMN token_is_optional INTEGER NOT NULL DEFAULT 0;
ALTER TABLE replication_group ADD COLUMN token_changed TEXT;
ALTER TABLE replication_group ADD COLUMN user_group TEXT NOT NULL DEFAULT '';
ALTER TABLE replication_group ADD COLUMN access_change TEXT NOT NULL DEFAULT 'none'
  CHECK (access_change IN ('none', 'setting-token', 'rotating-token', 'user-groups'));
ALTER TABLE replication_group ADD COLUMN former_user_group TEXT NOT NULL DEFAULT '';

-- Without the user `default`, which is there from the start.
CREATE TABLE user (
  id             TEXT PRIMARY KEY CHECK (id <> 'default'),
  name           TEXT NOT NULL,
  status         TEXT NOT NULL CHECK (status IN ('active', 'modifying', 'deleting')),
  engine         TEXT NOT NULL CHECK (engine IN ('redis', 'valkey')),
  access_string  TEXT NOT NULL,
  no_password    INTEGER NOT NULL CHECK (no_password IN (0, 1)),
  revision       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE user_password (
  user      TEXT NOT NULL REFERENCES user (id) ON DELETE CASCADE,
  position  INTEGER NOT NULL,
  sha256    TEXT NOT NULL CHECK (length(sha256) = 64),
  PRIMARY KEY (user, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE user_tag (
  user   TEXT NOT NULL REFERENCES user (id) ON DELETE CASCADE,
  key    TEXT NOT NULL,
  value  TEXT NOT NULL,
  PRIMARY KEY (user, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE user_group (
  id        TEXT PRIMARY KEY,
  status    TEXT NOT NULL CHECK (status IN ('creating', 'active', 'modifying', 'deleting')),
  engine    TEXT NOT NULL CHECK (engine IN ('redis', 'valkey')),
  revision  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A change that is under way is told by 'adding' and 'removing'; until its end the members are
-- those from before.
CREATE TABLE user_group_user (
  user_group  TEXT NOT NULL REFERENCES user_group (id) ON DELETE CASCADE,
  kind        TEXT NOT NULL CHECK (kind IN ('member', 'adding', 'removing')),
  user        TEXT NOT NULL,
  PRIMARY KEY (user_group, kind, user)
) STRICT, WITHOUT ROWID;

CREATE TABLE user_group_tag (
  user_group  TEXT NOT NULL REFERENCES user_group (id) ON DELETE CASCADE,
  key         TEXT NOT NULL,
  value       TEXT NOT NULL,
  PRIMARY KEY (user_group, key)
) STRICT, WITHOUT ROWID;
)sql";

constexpr std::string_view kMigrations[] = {kVersion1, kVersion2, kVersion3, kVersion4,
                                            kVersion5, kVersion6, kVersion7};
static_assert(std::size(kMigrations) == kSchemaVersion);

}  // namespace

std::string_view MigrationFrom(int version) {
  EC_CHECK(version >= 0 && version < kSchemaVersion);
  return kMigrations[version];
}

}  // namespace ec::store
