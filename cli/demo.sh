#!/usr/bin/env bash
# The story that `./dev demo` tells: a person, two cache clusters, and some accidents. Every step
# shows what was typed and what came back, and ends the demo if that is not as told.
# With --keep the installation is left running.
set -euo pipefail

# shellcheck source=cli/demo_stage.sh
source "$(dirname "${BASH_SOURCE[0]}")/demo_stage.sh" "$@"

tell "Start a control plane and three node agents, one for each availability zone"
run ecctl up
expect "us-east-1a" "us-east-1c"
run ecctl host list
expect "ready"

tell "Create a Redis cluster, and a Memcached cluster of three nodes across the zones"
run ecctl cluster create orders --engine redis --node-type cache.m1.small --wait
expect "Cache cluster created" "orders is available"
run ecctl cluster create pages --engine memcached --nodes 3 --az-mode cross-az --wait
expect "pages is available"
run ecctl cluster list
expect "Multiple"

tell "Use the Redis cluster with redis-cli"
redis=$(node_address orders 0001)
run_redis -h "$redis" set greeting "hello from a real engine"
expect "OK"
run_redis -h "$redis" get greeting
expect "hello from a real engine"

tell "Use the Memcached nodes in a text session"
for node in 0001 0002 0003; do
  address=$(node_address pages "$node")
  say_to "$address" "set page 0 0 9\nnode $node\nget page"
  expect "STORED" "node $node"
done
say_to "$address" "stats"
expect "STAT version" "STAT limit_maxbytes"

tell "Discover the nodes: the configuration endpoint knows them all"
configuration=$(describe pages .configuration_endpoint.address)
say_to "$configuration" "config get cluster"
expect "CONFIG cluster 0" "$address|$address|11211"
[[ $(sed -n 2p <<<"$out") == 1 ]] || wrong "version 1 of the list was expected"

tell "Scale Memcached to four nodes; the first three keep their data"
run ecctl cluster modify pages --nodes 4 --wait
expect "Finished modifying number of nodes from 3 to 4"
for node in 0001 0002 0003; do
  say_to "$(node_address pages "$node")" "get page"
  expect "node $node"
done
say_to "$configuration" "config get cluster"
expect "$(node_address pages 0004)"
[[ $(sed -n 2p <<<"$out") == 2 ]] || wrong "version 2 of the list was expected"

tell "Try to change a node type: it is fixed when a cluster is created"
refused ecctl cluster modify orders --node-type cache.m5.large
expect "InvalidParameterValue" "delete the cluster and create it again"

tell "Kill the Redis engine; it comes back, empty, at the same address"
pid=$(node_pid orders 0001)
run kill -9 "$pid"
await 20 event_is_there orders "Finished recovery for cache nodes 0001"
run ecctl event list --cluster orders
expect "Started recovery for cache nodes 0001" "Finished recovery for cache nodes 0001"
run_redis -h "$redis" get greeting
expect "(nil)"
run_redis -h "$redis" set greeting "hello again"
expect "OK"

tell "Kill the control plane; clients notice nothing, not even on an open connection"
before=$(ecctl cluster list --output json | grep -v '"connections')
exec {session}<>"/dev/tcp/$(node_address pages 0001)/11211"
printf 'get page\r\n' >&"$session"
read -r -t 5 line <&"$session"
printf '\n  (a connection is open to node 0001, which answered: %s)\n' "${line%$'\r'}"
read -r -t 5 _ <&"$session" && read -r -t 5 _ <&"$session"
pid=$(jq .pid "$state/controlplane/controlplane.json")
run kill -9 "$pid"
refused ecctl cluster list
printf 'get page\r\n' >&"$session"
read -r -t 5 line <&"$session"
[[ $line == VALUE* ]] || wrong "the open connection was expected to go on"
printf '\n  (the same connection still answers: %s)\n' "${line%$'\r'}"
exec {session}>&-
run_redis -h "$redis" get greeting
expect "hello again"

tell "Start the control plane again: everything it has ever acknowledged is there"
run ecctl up
run ecctl cluster list
expect "orders" "pages" "available"
after=$(ecctl cluster list --output json | grep -v '"connections')
[[ $before == "$after" ]] || wrong "the clusters were expected to be as they were"

tell "Create a replication group: a primary and two replicas, each in a zone of its own"
run ecctl group create carts --replicas 2 --wait
expect "Replication group carts created" "carts is available"
run ecctl group show carts
expect "primary" "replica" "yes"
endpoint=$(group_of carts '.node_groups[0].primary_endpoint.address')

tell "Kill the primary while somebody writes; a replica takes over behind the same endpoint"
start_writer "$endpoint"
leader=$(leader_of carts)
sleep 1
run kill -9 "$(node_pid "$leader" 0001)"
await 20 leader_is_not "$leader"
await 20 group_is_whole carts
sleep 0.5
stop_writer
run ecctl event list --cluster "$leader"
expect "Failover from primary node $leader" "Finished recovery"
run ecctl group show carts
expect "$leader"

tell "Change the primary as planned, while somebody writes; nothing is lost"
run_redis -h "$endpoint" flushall
start_writer "$endpoint"
leader=$(leader_of carts)
sleep 1
run ecctl group switchover carts --wait
await 20 leader_is_not "$leader"
await 20 group_is_whole carts
sleep 0.5
stop_writer
((acknowledged <= kept)) || wrong "$((acknowledged - kept)) acknowledged writes were lost"

tell "Promote a replica: it becomes a master of its own, with the same data"
staging=$(replica_of carts)
staging_address=$(node_address "$staging" 0001)
run ecctl cluster promote "$staging" --wait
expect "has left replication group carts"
run_redis -h "$staging_address" dbsize
expect "(integer) $kept"
run_redis -h "$staging_address" set only staging
expect "OK"

tell "Demote it again: a replica of the group, whose data replaces its own"
run ecctl cluster demote "$staging" --group carts --yes --wait
expect "is now a replica of replication group carts"
run_redis -h "$staging_address" get only
expect "(nil)"

tell "Back a cluster up every night for 36 nights, in seconds, and keep each backup for 35 days"
run ecctl cluster create ledger --snapshot-retention 35 --snapshot-window 05:00-06:00 --maintenance-window sun:09:00-sun:10:00 --wait
ledger=$(node_address ledger 0001)
run_redis -h "$ledger" set balance 100
run ecctl clock advance 36d
expect "36 snapshots taken, 1 expired on the way"
run_redis -h "$ledger" set balance 0
typed ecctl snapshot list --cluster ledger
out=$(ecctl snapshot list --cluster ledger)
(($(grep -c automatic <<<"$out") == 35)) || wrong "there are not 35 backups"
out=$(head -n 3 <<<"$out")
indent

tell "Restore the oldest of them into a new cluster"
oldest=$(ecctl snapshot list --cluster ledger -o json | jq -r '.snapshots[0].snapshot_name')
run ecctl snapshot restore "$oldest" --cluster ledger-then --wait
expect "ledger-then is available"
run_redis -h "$(node_address ledger-then 0001)" get balance
expect '"100"'

tell "Export it, and load the file in a bare redis-server that knows nothing of this"
mkdir "$state/bare"
run ecctl snapshot export "$oldest" "$state/bare/dump.rdb"
printf '\n  $ redis-server --dir %s --port 0 --unixsocket %s &\n' "$state/bare" "$state/bare/sock"
redis-server --dir "$state/bare" --port 0 --unixsocket "$state/bare/sock" --save '' \
  >"$state/bare/log" 2>&1 &
writer=$!
await 5 redis-cli -s "$state/bare/sock" ping
run_redis -s "$state/bare/sock" get balance
expect '"100"'
redis-cli -s "$state/bare/sock" shutdown nosave >/dev/null 2>&1 || true
wait "$writer" || true
writer=

tell "Damage one byte of that file: it is not taken"
printf 'X' | dd of="$state/bare/dump.rdb" bs=1 seek=60 conv=notrunc status=none
refused ecctl snapshot import "$state/bare/dump.rdb" damaged
expect "redis-check-rdb does not accept it"
mkdir "$state/buckets/backups"
cp "$state/bare/dump.rdb" "$state/buckets/backups/ledger.rdb"
refused ecctl cluster create ledger-again --from-rdb s3://backups/ledger.rdb --wait
expect "restore-failed"
run ecctl clock set machine

tell "Make a second VPC, with a Redis cluster of its own, and an instance in each of the two VPCs"
run ecctl vpc create 10.0.0.0/16 --name shop
run ecctl subnet create shop 10.0.1.0/24 --zone us-east-1a --name shop-a
run ecctl security-group create cache --vpc shop --description "the caches"
run ecctl security-group create web --vpc shop --description "the web servers"
run ecctl subnet-group create shop --subnets shop-a
run ecctl cluster create basket --subnet-group shop --security-group cache --wait
expect "basket is available"
run ecctl instance create i-web --subnet shop-a --security-group web
run ecctl instance create i-outside
basket=$(node_address basket 0001)

tell "Open the cluster to every address: still only its own VPC gets in"
refused ecctl instance run i-web -- redis-cli -h "$basket" ping
refused ecctl access explain --from i-web --to basket
expect "no rule of"
run ecctl security-group authorize cache --port 6379 --from 0.0.0.0/0
await 5 ecctl instance run i-web -- redis-cli -h "$basket" ping
run ecctl instance run i-web -- redis-cli -h "$basket" ping
expect "PONG"
refused ecctl instance run i-outside -- redis-cli -h "$basket" ping
refused ecctl access explain --from i-outside --to basket
expect "whatever the rules say"
refused redis-cli -h "$basket" ping

tell "Close it while a client is connected; open it for one security group alone"
ecctl instance run i-web -- redis-cli -h "$basket" blpop nothing 0 >"$state/waiting" 2>&1 &
writer=$!
printf '\n  (i-web waits in a BLPOP, on a connection that is open)\n'
await 5 client_is_there "$basket"
run ecctl security-group revoke cache --port 6379 --from 0.0.0.0/0
wait "$writer" || true
writer=
printf '\n  (i-web: %s)\n' "$(tail -n 1 "$state/waiting")"
refused ecctl instance run i-web -- redis-cli -h "$basket" ping
run ecctl security-group authorize cache --port 6379 --from web
await 5 ecctl instance run i-web -- redis-cli -h "$basket" ping
run ecctl access explain --from i-web --to basket
expect "yes"

tell "Slow the network between the zones down by 200 ms: the replicas lag while somebody writes"
zones=$(group_of carts '[.node_groups[0].node_group_members[].preferred_availability_zone] | unique | .[]')
leader_zone=$(group_of carts '.node_groups[0].node_group_members[] | select(.current_role == "primary") | .preferred_availability_zone')
for zone in $zones; do
  [[ $zone == "$leader_zone" ]] || run ecctl fault add latency 200ms --between "$leader_zone" "$zone" --for 60s
done
run ecctl fault list
expect "latency" "200"
await 20 group_is_whole carts
start_writer "$endpoint"
await 20 lags carts
typed ecctl group show carts
out=$(ecctl group show carts | sed -n '/^ZONE/,/^$/p')
indent
run ecctl fault clear --all
stop_writer
await 20 group_is_whole carts

if [[ -z $keep ]]; then
  tell "Delete the clusters and stop"
  run ecctl cluster delete basket --yes --wait
  run ecctl cluster delete orders --final-snapshot orders-last --yes --wait
  run ecctl snapshot show orders-last
  expect "available"
  run ecctl cluster delete ledger --yes --wait
  run ecctl cluster delete ledger-then --yes --wait
  run ecctl cluster delete ledger-again --yes --wait
  run ecctl cluster delete pages --yes --wait
  run ecctl group delete carts --yes --wait
  run ecctl down --discard
fi
printf '\n\033[1mAll of it was as told.\033[0m\n'
