#!/usr/bin/python3
"""boto3 against the gateway: every kind of call, waiters and paginators."""

import socket
import ssl
import time

import boto3
import botocore.config
import botocore.exceptions

import installation
from installation import eventually, expect


def client(it, service="elasticache"):
    return boto3.client(service, endpoint_url=it.endpoint, region_name="us-east-1",
                        aws_access_key_id="emucache", aws_secret_access_key="emucache",
                        config=botocore.config.Config(retries={"max_attempts": 0}))


def refused(code, call, **parameters):
    try:
        call(**parameters)
    except botocore.exceptions.ClientError as error:
        expect(error.response["Error"]["Code"] == code, code, "!=", error)
        return error
    raise AssertionError("not refused: " + code)


def ask_redis(endpoint, *words, authority=None):
    """One command, and its answer, which is short. With an authority's certificate, over TLS, as
    clients that verify whom they speak with do."""
    where = (endpoint["Address"], endpoint["Port"])
    with socket.create_connection(where, timeout=10) as engine:
        if authority:
            trust = ssl.create_default_context(cadata=authority)
            engine = trust.wrap_socket(engine, server_hostname=endpoint["Address"])
        engine.sendall(b"*%d\r\n" % len(words) +
                       b"".join(b"$%d\r\n%s\r\n" % (len(w), w.encode()) for w in words))
        return engine.recv(4096).decode()


def node_of(it, cluster):
    found = client(it).describe_cache_clusters(CacheClusterId=cluster, ShowCacheNodeInfo=True)
    return found["CacheClusters"][0]["CacheNodes"][0]


def clusters_live_and_waiters_do_not_wait_long(it):
    cache = client(it)
    begin = time.monotonic()
    created = cache.create_cache_cluster(
        CacheClusterId="Orders", Engine="redis", CacheNodeType="cache.t3.micro", NumCacheNodes=1,
        SecurityGroupIds=[], Tags=[{"Key": "team", "Value": "a & b"}])["CacheCluster"]
    expect(created["CacheClusterId"] == "orders", created)
    expect(created["CacheClusterStatus"] == "creating", created)
    expect(created["CacheClusterCreateTime"].year > 2000, created)
    cache.get_waiter("cache_cluster_available").wait(CacheClusterId="orders")
    expect(time.monotonic() - begin < 10, "the first poll was too early")
    listed = cache.describe_cache_clusters()["CacheClusters"]
    expect("CacheNodes" not in listed[0], "nodes were not asked for")
    expect(listed[0]["PendingModifiedValues"] == {}, listed)
    expect(listed[0]["CacheSecurityGroups"] == [], listed)
    expect(ask_redis(node_of(it, "orders")["Endpoint"], "PING") == "+PONG\r\n", "no PONG")
    tags = cache.list_tags_for_resource(ResourceName=listed[0]["ARN"])["TagList"]
    expect(tags == [{"Key": "team", "Value": "a & b"}], tags)
    changed = cache.modify_cache_cluster(CacheClusterId="orders", SnapshotRetentionLimit=0,
                                         PreferredMaintenanceWindow="Mon:03:00-Mon:04:00")
    expect(changed["CacheCluster"]["PreferredMaintenanceWindow"] == "mon:03:00-mon:04:00", changed)
    events = cache.describe_events(SourceType="cache-cluster", SourceIdentifier="orders")["Events"]
    expect(any(event["Message"] == "Cache cluster created" for event in events), events)
    begin = time.monotonic()
    cache.delete_cache_cluster(CacheClusterId="orders")
    cache.get_waiter("cache_cluster_deleted").wait(CacheClusterId="orders")
    expect(time.monotonic() - begin < 10, "the first poll was too early")


def groups_live_scale_and_fail_over(it):
    cache = client(it)
    group = cache.create_replication_group(
        ReplicationGroupId="carts", ReplicationGroupDescription="carts", NumCacheClusters=2,
        CacheNodeType="cache.t3.micro", Engine="redis", AutomaticFailoverEnabled=True)
    expect(group["ReplicationGroup"]["MemberClusters"] == ["carts-001", "carts-002"], group)
    cache.get_waiter("replication_group_available").wait(
        ReplicationGroupId="carts", WaiterConfig={"Delay": 1})
    cache.increase_replica_count(ReplicationGroupId="carts", NewReplicaCount=2,
                                 ApplyImmediately=True)
    cache.get_waiter("replication_group_available").wait(
        ReplicationGroupId="carts", WaiterConfig={"Delay": 1})
    shown = cache.describe_replication_groups(ReplicationGroupId="carts")["ReplicationGroups"][0]
    members = shown["NodeGroups"][0]["NodeGroupMembers"]
    expect([m["CurrentRole"] for m in members].count("primary") == 1, members)
    expect(len(members) == 3, members)
    expect(shown["TransitEncryptionEnabled"] is False, shown)
    expect(ask_redis(shown["NodeGroups"][0]["PrimaryEndpoint"], "SET", "k", "v") == "+OK\r\n", "SET")
    cache.delete_replication_group(ReplicationGroupId="carts")
    cache.get_waiter("replication_group_deleted").wait(
        ReplicationGroupId="carts", WaiterConfig={"Delay": 1})


def encrypted_groups_speak_tls_only(it):
    cache = client(it)
    cache.create_replication_group(
        ReplicationGroupId="safe", ReplicationGroupDescription="safe", NumCacheClusters=2,
        CacheNodeType="cache.t3.micro", Engine="redis", AutomaticFailoverEnabled=True,
        TransitEncryptionEnabled=True)
    cache.get_waiter("replication_group_available").wait(
        ReplicationGroupId="safe", WaiterConfig={"Delay": 1})
    shown = cache.describe_replication_groups(ReplicationGroupId="safe")["ReplicationGroups"][0]
    expect(shown["TransitEncryptionEnabled"] is True, shown)
    member = cache.describe_cache_clusters(CacheClusterId="safe-002")["CacheClusters"][0]
    expect(member["TransitEncryptionEnabled"] is True, member)
    authority = it.ecctl("tls", "ca")
    group = shown["NodeGroups"][0]
    for endpoint in [group["PrimaryEndpoint"], group["ReaderEndpoint"],
                     *(m["ReadEndpoint"] for m in group["NodeGroupMembers"])]:
        expect(ask_redis(endpoint, "PING", authority=authority) == "+PONG\r\n", endpoint)
        try:
            expect(ask_redis(endpoint, "PING") == "", "it speaks plainly", endpoint)
        except ConnectionResetError:
            pass
    expect(it.ecctl("connect", "safe", "--", "SET", "k", "v") == "OK\n", "ecctl connect")
    expect(it.ecctl("connect", "safe-001", "--", "GET", "k") == "v\n", "ecctl connect")
    cache.delete_replication_group(ReplicationGroupId="safe")
    cache.get_waiter("replication_group_deleted").wait(
        ReplicationGroupId="safe", WaiterConfig={"Delay": 1})


def ask_as(endpoint, authority, user, password, *words):
    """One command of a user, after AUTH; both answers."""
    trust = ssl.create_default_context(cadata=authority)
    with socket.create_connection((endpoint["Address"], endpoint["Port"]), timeout=10) as plain:
        engine = trust.wrap_socket(plain, server_hostname=endpoint["Address"])
        answers = []
        for call in (("AUTH", *([user] if user else []), password), words):
            engine.sendall(b"*%d\r\n" % len(call) +
                           b"".join(b"$%d\r\n%s\r\n" % (len(w), w.encode()) for w in call))
            answers.append(engine.recv(4096).decode())
        return answers


def users_and_tokens_are_enforced_by_the_engines(it):
    cache = client(it)
    password = "a-password-of-24-letters"
    refused("InvalidParameterValue", cache.create_user, UserId="short", UserName="short",
            Engine="redis", AccessString="on ~* +@all", Passwords=["short"])
    made = cache.create_user(UserId="shop", UserName="shop", Engine="redis",
                             AccessString="on ~shop:* +@all", Passwords=[password])
    expect(made["Authentication"] == {"Type": "password", "PasswordCount": 1}, made)
    cache.create_user(UserId="nobody", UserName="default", Engine="redis",
                      AccessString="off -@all", NoPasswordRequired=True)
    refused("DefaultUserRequired", cache.create_user_group, UserGroupId="ug", Engine="redis",
            UserIds=["shop"])
    cache.create_user_group(UserGroupId="ug", Engine="redis", UserIds=["shop", "nobody"])
    refused("InvalidParameterCombination", cache.create_replication_group,
            ReplicationGroupId="plain", ReplicationGroupDescription="no encryption",
            CacheNodeType="cache.t3.micro", Engine="redis", UserGroupIds=["ug"])
    cache.create_replication_group(
        ReplicationGroupId="users", ReplicationGroupDescription="users", NumCacheClusters=2,
        CacheNodeType="cache.t3.micro", Engine="redis", AutomaticFailoverEnabled=True,
        TransitEncryptionEnabled=True, UserGroupIds=["ug"])
    cache.get_waiter("replication_group_available").wait(
        ReplicationGroupId="users", WaiterConfig={"Delay": 1})
    authority = it.ecctl("tls", "ca")
    shown = cache.describe_replication_groups(ReplicationGroupId="users")["ReplicationGroups"][0]
    expect(shown["UserGroupIds"] == ["ug"], shown)
    primary = shown["NodeGroups"][0]["PrimaryEndpoint"]
    expect(ask_redis(primary, "PING", authority=authority).startswith("-NOAUTH"), "NOAUTH")
    answers = ask_as(primary, authority, "shop", password, "SET", "shop:1", "v")
    expect(answers == ["+OK\r\n", "+OK\r\n"], answers)
    expect(ask_as(primary, authority, "shop", password, "GET", "k")[1].startswith("-NOPERM"), "key")
    config = ask_as(primary, authority, "shop", password, "CONFIG", "GET", "save")[1]
    expect(config.startswith("-ERR unknown command"), config)
    refused("InvalidUserGroupState", cache.delete_user_group, UserGroupId="ug")

    first, second = "the-first-token-of-all", "the-second-token-here"
    cache.create_replication_group(
        ReplicationGroupId="token", ReplicationGroupDescription="token", NumCacheClusters=1,
        CacheNodeType="cache.t3.micro", Engine="redis", TransitEncryptionEnabled=True,
        AuthToken=first)
    ready = {"ReplicationGroupId": "token", "WaiterConfig": {"Delay": 1}}
    cache.get_waiter("replication_group_available").wait(**ready)
    for strategy, open_to in (("ROTATE", (first, second)), ("SET", (second,))):
        cache.modify_replication_group(ReplicationGroupId="token", AuthToken=second,
                                       AuthTokenUpdateStrategy=strategy, ApplyImmediately=True)
        cache.get_waiter("replication_group_available").wait(**ready)
        shown = cache.describe_replication_groups(ReplicationGroupId="token")
        primary = shown["ReplicationGroups"][0]["NodeGroups"][0]["PrimaryEndpoint"]
        for token in (first, second):
            answer = ask_as(primary, authority, None, token, "PING")[0]
            expect((answer == "+OK\r\n") == (token in open_to), strategy, token, answer)
    for group in ("users", "token"):
        cache.delete_replication_group(ReplicationGroupId=group)
        cache.get_waiter("replication_group_deleted").wait(
            ReplicationGroupId=group, WaiterConfig={"Delay": 1})
    cache.delete_user_group(UserGroupId="ug")


def snapshots_are_taken_copied_and_restored(it):
    cache = client(it)
    cache.create_cache_cluster(CacheClusterId="source", Engine="redis", NumCacheNodes=1,
                               CacheNodeType="cache.t3.small")
    cache.get_waiter("cache_cluster_available").wait(CacheClusterId="source")
    expect(ask_redis(node_of(it, "source")["Endpoint"], "SET", "k", "v") == "+OK\r\n", "SET")
    made = cache.create_snapshot(CacheClusterId="source", SnapshotName="first")["Snapshot"]
    expect(made["SnapshotStatus"] == "creating" and made["SnapshotSource"] == "manual", made)

    def await_snapshot(name):
        for _ in range(100):
            found = cache.describe_snapshots(SnapshotName=name)["Snapshots"][0]
            if found["SnapshotStatus"] == "available":
                return found
            time.sleep(0.1)
        raise AssertionError("not available: " + name)

    found = await_snapshot("first")
    expect(found["NodeSnapshots"][0]["CacheNodeId"] == "0001", found)
    cache.copy_snapshot(SourceSnapshotName="first", TargetSnapshotName="second")
    await_snapshot("second")
    cache.create_cache_cluster(CacheClusterId="restored", SnapshotName="second",
                               Engine="redis", NumCacheNodes=1, CacheNodeType="cache.t3.small")
    cache.get_waiter("cache_cluster_available").wait(CacheClusterId="restored")
    expect(ask_redis(node_of(it, "restored")["Endpoint"], "GET", "k") == "$1\r\nv\r\n", "GET")
    cache.delete_snapshot(SnapshotName="first")
    cache.delete_snapshot(SnapshotName="second")
    refused("SnapshotNotFoundFault", cache.delete_snapshot, SnapshotName="none")
    for name in ("source", "restored"):
        cache.delete_cache_cluster(CacheClusterId=name)
        cache.get_waiter("cache_cluster_deleted").wait(
            CacheClusterId=name, WaiterConfig={"Delay": 1})


def pages_follow_each_other(it):
    cache = client(it)
    for number in range(25):
        cache.create_cache_parameter_group(CacheParameterGroupName=f"page-{number}",
                                           CacheParameterGroupFamily="redis7", Description="x")
    pages = list(cache.get_paginator("describe_cache_parameter_groups").paginate(
        PaginationConfig={"PageSize": 20}))
    names = [g["CacheParameterGroupName"] for page in pages for g in page["CacheParameterGroups"]]
    expect(len(pages) == 2 and len(names) == 25 + 12 and len(set(names)) == len(names), names)
    for number in range(25):
        cache.delete_cache_parameter_group(CacheParameterGroupName=f"page-{number}")
    versions = cache.describe_cache_engine_versions(Engine="redis")["CacheEngineVersions"]
    expect(any(v["EngineVersion"].startswith("7.") for v in versions), versions)


def errors_are_typed(it):
    cache = client(it)
    refused("CacheClusterNotFound", cache.describe_cache_clusters, CacheClusterId="nope")
    refused("InvalidParameterValue", cache.describe_cache_clusters, MaxRecords=5)
    refused("ReplicationGroupNotFoundFault", cache.delete_replication_group,
            ReplicationGroupId="nope")
    try:
        cache.describe_cache_clusters(CacheClusterId="nope")
    except cache.exceptions.CacheClusterNotFoundFault as error:
        expect(error.response["ResponseMetadata"]["HTTPStatusCode"] == 404, error)
    error = refused("InvalidAction", cache.start_migration, ReplicationGroupId="a",
                    CustomerNodeEndpointList=[{"Address": "x", "Port": 1}])
    expect("not emulated" in str(error), error)
    expect(cache.describe_reserved_cache_nodes()["ReservedCacheNodes"] == [], "reserved nodes")
    expect(cache.describe_service_updates()["ServiceUpdates"] == [], "service updates")


def parameters_reach_the_running_engine(it):
    cache = client(it)
    cache.create_cache_parameter_group(CacheParameterGroupName="Mine", Description="mine",
                                       CacheParameterGroupFamily="redis7")
    cache.create_cache_cluster(CacheClusterId="tuned", Engine="redis", NumCacheNodes=1,
                               CacheNodeType="cache.t3.micro", CacheParameterGroupName="mine")
    cache.get_waiter("cache_cluster_available").wait(CacheClusterId="tuned")
    endpoint = node_of(it, "tuned")["Endpoint"]

    def policy():
        answer = ask_redis(endpoint, "INFO", "memory")
        return next((line.split(":")[1] for line in answer.split("\r\n")
                     if line.startswith("maxmemory_policy:")), answer)

    expect(policy() == "volatile-lru", policy())
    cache.modify_cache_parameter_group(
        CacheParameterGroupName="mine",
        ParameterNameValues=[{"ParameterName": "maxmemory-policy", "ParameterValue": "allkeys-lfu"}])
    eventually(lambda: policy() == "allkeys-lfu", "the running engine's maxmemory-policy")
    mine = cache.describe_cache_parameters(CacheParameterGroupName="mine", Source="user")
    expect([(p["ParameterName"], p["ParameterValue"]) for p in mine["Parameters"]] ==
           [("maxmemory-policy", "allkeys-lfu")], mine)
    refused("InvalidParameterValue", cache.modify_cache_parameter_group,
            CacheParameterGroupName="mine",
            ParameterNameValues=[{"ParameterName": "maxmemory-policy", "ParameterValue": "x\ny"}])
    refused("InvalidCacheParameterGroupState", cache.delete_cache_parameter_group,
            CacheParameterGroupName="mine")
    cache.reset_cache_parameter_group(CacheParameterGroupName="mine", ResetAllParameters=True)
    eventually(lambda: policy() == "volatile-lru", "the default maxmemory-policy")
    cache.delete_cache_cluster(CacheClusterId="tuned")
    cache.get_waiter("cache_cluster_deleted").wait(CacheClusterId="tuned")
    cache.delete_cache_parameter_group(CacheParameterGroupName="mine")


def memcached_takes_parameters_at_a_reboot(it):
    cache = client(it)
    cache.create_cache_parameter_group(CacheParameterGroupName="big", Description="big items",
                                       CacheParameterGroupFamily="memcached1.6")
    cache.create_cache_cluster(CacheClusterId="pages", Engine="memcached", NumCacheNodes=1,
                               CacheNodeType="cache.t3.micro", CacheParameterGroupName="big")
    cache.get_waiter("cache_cluster_available").wait(CacheClusterId="pages")

    def item_size():
        endpoint = node_of(it, "pages")["Endpoint"]
        with socket.create_connection((endpoint["Address"], endpoint["Port"]), timeout=10) as node:
            node.sendall(b"stats settings\r\nquit\r\n")
            lines = node.makefile("r").read().split("\n")
        return next(line.split()[2] for line in lines if line.startswith("STAT item_size_max "))

    def status():
        found = cache.describe_cache_clusters(CacheClusterId="pages")["CacheClusters"][0]
        return found["CacheParameterGroup"]

    expect(item_size() == "1048576", item_size())
    expect(status()["ParameterApplyStatus"] == "in-sync", status())
    cache.modify_cache_parameter_group(
        CacheParameterGroupName="big",
        ParameterNameValues=[{"ParameterName": "max_item_size", "ParameterValue": "2097152"}])
    expect(status()["ParameterApplyStatus"] == "pending-reboot", status())
    expect(status()["CacheNodeIdsToReboot"] == ["0001"], status())
    expect(item_size() == "1048576", item_size())
    cache.reboot_cache_cluster(CacheClusterId="pages", CacheNodeIdsToReboot=["0001"])
    cache.get_waiter("cache_cluster_available").wait(CacheClusterId="pages",
                                                     WaiterConfig={"Delay": 1})
    expect(status()["ParameterApplyStatus"] == "in-sync", status())
    expect(item_size() == "2097152", item_size())
    cache.delete_cache_cluster(CacheClusterId="pages")
    cache.get_waiter("cache_cluster_deleted").wait(CacheClusterId="pages")
    cache.delete_cache_parameter_group(CacheParameterGroupName="big")


def the_network_is_ec2s(it):
    ec2 = client(it, "ec2")
    sts = client(it, "sts").get_caller_identity()
    expect(sts["Account"] == "000000000000", sts)
    tags = [{"ResourceType": "vpc", "Tags": [{"Key": "Name", "Value": "shop"}]}]
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=tags)["Vpc"]["VpcId"]
    found = ec2.describe_vpcs(Filters=[{"Name": "tag:Name", "Values": ["sh*"]}])["Vpcs"]
    expect([v["VpcId"] for v in found] == [vpc], found)
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    names = ec2.describe_vpc_attribute(VpcId=vpc, Attribute="enableDnsHostnames")
    expect(names["EnableDnsHostnames"] == {"Value": True}, names)
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24",
                               AvailabilityZone="us-east-1a")["Subnet"]
    expect(subnet["AvailabilityZoneId"] == "use1-az1", subnet)
    group = ec2.create_security_group(VpcId=vpc, GroupName="cache", Description="cache")["GroupId"]
    permission = {"IpProtocol": "tcp", "FromPort": 6379, "ToPort": 6379,
                  "IpRanges": [{"CidrIp": "10.0.1.0/24"}]}
    rules = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
    rule = rules["SecurityGroupRules"][0]["SecurityGroupRuleId"]
    refused("InvalidPermission.Duplicate", ec2.authorize_security_group_ingress, GroupId=group,
            IpPermissions=[permission])
    ec2.create_tags(Resources=[group, rule], Tags=[{"Key": "k", "Value": "v"}])
    shown = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
    expect(shown["Tags"] == [{"Key": "k", "Value": "v"}], shown)
    expect(shown["IpPermissions"][0]["IpRanges"] == [{"CidrIp": "10.0.1.0/24"}], shown)
    ec2.delete_tags(Resources=[group], Tags=[{"Key": "k"}])
    ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=[rule])
    acls = ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [vpc]},
                                              {"Name": "default", "Values": ["true"]}])
    expect(len(acls["NetworkAcls"]) == 1, acls)
    expect(len(ec2.describe_availability_zones()["AvailabilityZones"]) == 3, "zones")
    expect(ec2.describe_instances()["Reservations"][0]["Instances"], "instances")
    ec2.delete_security_group(GroupId=group)
    ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    ec2.delete_vpc(VpcId=vpc)
    refused("InvalidVpcID.NotFound", ec2.describe_vpcs, VpcIds=[vpc])


if __name__ == "__main__":
    installation.main(clusters_live_and_waiters_do_not_wait_long, groups_live_scale_and_fail_over,
                      encrypted_groups_speak_tls_only,
                      users_and_tokens_are_enforced_by_the_engines,
                      snapshots_are_taken_copied_and_restored, pages_follow_each_other,
                      errors_are_typed,
                      parameters_reach_the_running_engine, memcached_takes_parameters_at_a_reboot,
                      the_network_is_ec2s)
