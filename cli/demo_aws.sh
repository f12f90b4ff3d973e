#!/usr/bin/env bash
# The story that `./dev demo --aws` tells: the same person, who types AWS's commands only.
# With --keep the installation is left running.
set -euo pipefail

# shellcheck source=cli/demo_stage.sh
source "$(dirname "${BASH_SOURCE[0]}")/demo_stage.sh" "$@"

# Nobody's profile, and nothing but the answer.
export AWS_CONFIG_FILE=$state/no-profile AWS_SHARED_CREDENTIALS_FILE=$state/no-keys AWS_PAGER=''
export AWS_EC2_METADATA_DISABLED=true

# The AWS CLI as Debian has it does not read AWS_ENDPOINT_URL. Nothing else is added.
cache() { aws --endpoint-url "$AWS_ENDPOINT_URL" elasticache "$@"; }
run_aws() { # ARGUMENTS...
  typed aws elasticache "$@"
  local status=0
  out=$(cache "$@" 2>&1) || status=$?
  indent
  return "$status"
}
refused_aws() { ! run_aws "$@" || wrong "this was accepted, and should not have been"; }
# Shows some members of what is described.
show() { # JMESPATH ARGUMENTS...
  run_aws "${@:2}" --query "$1" --output table
}
snapshot_is_there() {
  [[ $(cache describe-snapshots --snapshot-name "$1" --query 'Snapshots[0].SnapshotStatus' \
    --output text) == available ]]
}
policy_is() { redis-cli -h "$1" info memory | grep -q "^maxmemory_policy:$2"; }

tell "Start a control plane and three node agents; AWS's clients need one address"
run ecctl up
eval "$(ecctl env)"
printf '\n  $ eval "%s"\n  $ alias aws="aws --endpoint-url %s"\n' "\$(ecctl env)" "$AWS_ENDPOINT_URL"

tell "Create a Redis cluster, and wait for it as on AWS"
run_aws create-cache-cluster --cache-cluster-id orders --engine redis \
  --cache-node-type cache.t3.micro --num-cache-nodes 1 --tags Key=team,Value=shop \
  --query CacheCluster.CacheClusterStatus
expect "creating"
run_aws wait cache-cluster-available --cache-cluster-id orders
show 'CacheClusters[].{Id:CacheClusterId,Status:CacheClusterStatus,Engine:Engine,Version:EngineVersion,Address:CacheNodes[0].Endpoint.Address}' \
  describe-cache-clusters --show-cache-node-info
expect "available"
redis=$(node_address orders 0001)
run_redis -h "$redis" set greeting "hello from a real engine"
expect "OK"
refused_aws create-cache-cluster --cache-cluster-id orders --engine redis \
  --cache-node-type cache.t3.micro --num-cache-nodes 1
expect "(CacheClusterAlreadyExists)"

tell "Change a parameter: the running engine takes it at once"
run_aws create-cache-parameter-group --cache-parameter-group-name lru \
  --cache-parameter-group-family redis7 --description "drops what was not used for long" \
  --query CacheParameterGroup.CacheParameterGroupName
run_aws modify-cache-cluster --cache-cluster-id orders --cache-parameter-group-name lru \
  --apply-immediately --query CacheCluster.CacheParameterGroup.CacheParameterGroupName
run_aws modify-cache-parameter-group --cache-parameter-group-name lru \
  --parameter-name-values ParameterName=maxmemory-policy,ParameterValue=allkeys-lru
await 10 policy_is "$redis" allkeys-lru
run_redis -h "$redis" info memory
expect "maxmemory_policy:allkeys-lru"
refused_aws modify-cache-parameter-group --cache-parameter-group-name lru \
  --parameter-name-values ParameterName=maxmemory-policy,ParameterValue=newest-first
expect "(InvalidParameterValue)"

tell "Create a replication group: a primary and two replicas, each in a zone of its own"
run_aws create-replication-group --replication-group-id carts \
  --replication-group-description "shopping carts" --engine redis \
  --cache-node-type cache.t3.micro --num-cache-clusters 3 --automatic-failover-enabled \
  --multi-az-enabled --query ReplicationGroup.MemberClusters --output text
run_aws wait replication-group-available --replication-group-id carts
show 'ReplicationGroups[0].NodeGroups[0].NodeGroupMembers[].[CacheClusterId,CurrentRole,PreferredAvailabilityZone]' \
  describe-replication-groups --replication-group-id carts
expect "primary" "replica"
endpoint=$(group_of carts '.node_groups[0].primary_endpoint.address')

tell "Test the failover while somebody writes; a replica takes over behind the same endpoint"
await 20 group_is_whole carts
start_writer "$endpoint"
leader=$(leader_of carts)
sleep 1
run_aws test-failover --replication-group-id carts --node-group-id 0001 \
  --query ReplicationGroup.Status
await 20 leader_is_not "$leader"
await 20 group_is_whole carts
sleep 0.5
stop_writer
((kept > 0)) || wrong "nothing was written"
show 'Events[].[SourceIdentifier,Message]' describe-events --source-type replication-group
expect "Test Failover API called for node group 0001" "Failover from primary node $leader"
show 'ReplicationGroups[0].NodeGroups[0].NodeGroupMembers[].[CacheClusterId,CurrentRole]' \
  describe-replication-groups --replication-group-id carts

tell "Look at the figures: CloudWatch's names, for Prometheus"
printf '\n  $ curl %s/metrics | grep ...\n' "$AWS_ENDPOINT_URL"
out=$(curl -s "$AWS_ENDPOINT_URL/metrics" |
  grep -E '^(emucache_failovers_total|elasticache_(CurrItems|CurrConnections|IsMaster|ReplicationLag))')
indent
expect 'elasticache_CurrItems{cache_cluster="orders",cache_node="0001"' \
  'emucache_failovers_total{planned="false",replication_group="carts"} 1'

tell "Take a snapshot, and restore it into a new cluster"
run_aws create-snapshot --cache-cluster-id orders --snapshot-name orders-today \
  --query Snapshot.SnapshotStatus
await 20 snapshot_is_there orders-today
run_aws create-cache-cluster --cache-cluster-id orders-copy --snapshot-name orders-today \
  --cache-node-type cache.t3.micro --query CacheCluster.CacheClusterStatus
run_aws wait cache-cluster-available --cache-cluster-id orders-copy
run_redis -h "$(node_address orders-copy 0001)" get greeting
expect "hello from a real engine"

if [[ -z $keep ]]; then
  tell "Delete everything and stop"
  run_aws delete-replication-group --replication-group-id carts --query ReplicationGroup.Status
  run_aws wait replication-group-deleted --replication-group-id carts
  for cluster in orders orders-copy; do
    run_aws delete-cache-cluster --cache-cluster-id "$cluster" \
      --query CacheCluster.CacheClusterStatus
    run_aws wait cache-cluster-deleted --cache-cluster-id "$cluster"
  done
  run_aws delete-cache-parameter-group --cache-parameter-group-name lru
  run_aws delete-snapshot --snapshot-name orders-today --query Snapshot.SnapshotStatus
  run ecctl down --discard
fi
printf '\n\033[1mAll of it was as told.\033[0m\n'
