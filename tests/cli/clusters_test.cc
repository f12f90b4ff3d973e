// What `ecctl cluster`, `tag` and `endpoint` ask for and print.
#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/cli/fake_service.h"

namespace ec::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;

std::string Text(const google::protobuf::Message& message) { return message.ShortDebugString(); }

TEST(ClusterCreate, HasDefaultsThatWork) {
  FakeService service;
  v1::CreateCacheClusterRequest seen;
  service.create = [&](const auto& request, auto* response) {
    seen = request;
    *response->mutable_cache_cluster() = MakeCluster("demo", "creating");
    return grpc::Status::OK;
  };
  const Ended ended = service.Ecctl({"cluster", "create", "demo"});
  EXPECT_EQ(ended.exit, 0) << ended.err;
  EXPECT_EQ(Text(seen),
            "cache_cluster_id: \"demo\" num_cache_nodes: 1 cache_node_type: \"cache.t3.micro\" "
            "engine: \"redis\"");
  EXPECT_THAT(ended.out, HasSubstr("demo     creating  redis"));
}

TEST(ClusterCreate, PassesEveryOptionOn) {
  FakeService service;
  v1::CreateCacheClusterRequest seen;
  service.create = [&](const auto& request, auto* response) {
    seen = request;
    *response->mutable_cache_cluster() = MakeCluster("demo", "creating");
    return grpc::Status::OK;
  };
  const Ended ended = service.Ecctl({"cluster",
                                     "create",
                                     "demo",
                                     "--engine=memcached",
                                     "--node-type",
                                     "cache.m5.large",
                                     "--engine-version",
                                     "1.6.12",
                                     "--nodes",
                                     "3",
                                     "--az-mode",
                                     "cross-az",
                                     "--zones",
                                     "a,b",
                                     "--zones",
                                     "c",
                                     "--port",
                                     "12000",
                                     "--parameter-group",
                                     "pg",
                                     "--subnet-group",
                                     "sg",
                                     "--security-groups",
                                     "sg-1,sg-2",
                                     "--maintenance-window",
                                     "sun:05:00-sun:06:00",
                                     "--snapshot-retention",
                                     "7",
                                     "--snapshot-window",
                                     "02:00-03:00",
                                     "--notification-topic",
                                     "arn:t",
                                     "--tag",
                                     "a=b=c",
                                     "--tag",
                                     "d",
                                     "--no-auto-minor-version-upgrade",
                                     "--zone",
                                     "z"});
  EXPECT_EQ(ended.exit, 0) << ended.err;
  EXPECT_EQ(
      Text(seen),
      "cache_cluster_id: \"demo\" az_mode: \"cross-az\" preferred_availability_zone: \"z\" "
      "preferred_availability_zones: \"a\" preferred_availability_zones: \"b\" "
      "preferred_availability_zones: \"c\" num_cache_nodes: 3 cache_node_type: \"cache.m5.large\" "
      "engine: \"memcached\" engine_version: \"1.6.12\" cache_parameter_group_name: \"pg\" "
      "cache_subnet_group_name: \"sg\" security_group_ids: \"sg-1\" security_group_ids: \"sg-2\" "
      "tags { key: \"a\" value: \"b=c\" } tags { key: \"d\" value: \"\" } "
      "preferred_maintenance_window: \"sun:05:00-sun:06:00\" port: 12000 "
      "notification_topic_arn: \"arn:t\" auto_minor_version_upgrade: false "
      "snapshot_retention_limit: 7 snapshot_window: \"02:00-03:00\"");
}

TEST(ClusterCreate, TakesOneNodePerZone) {
  FakeService service;
  int nodes = 0;
  service.create = [&](const auto& request, auto*) {
    nodes = request.num_cache_nodes();
    return grpc::Status::OK;
  };
  service.Ecctl({"cluster", "create", "demo", "--engine", "memcached", "--zones", "a,b,c"});
  EXPECT_EQ(nodes, 3);
}

TEST(ClusterModify, AppliesAtOnceUnlessToldOtherwise) {
  FakeService service;
  v1::ModifyCacheClusterRequest seen;
  service.modify = [&](const auto& request, auto* response) {
    seen = request;
    *response->mutable_cache_cluster() = MakeCluster("demo", "modifying", "memcached", 2);
    return grpc::Status::OK;
  };
  EXPECT_EQ(
      service.Ecctl({"cluster", "modify", "demo", "--nodes", "2", "--remove", "0003,0004"}).exit,
      0);
  EXPECT_EQ(Text(seen),
            "cache_cluster_id: \"demo\" num_cache_nodes: 2 cache_node_ids_to_remove: \"0003\" "
            "cache_node_ids_to_remove: \"0004\" apply_immediately: true");
  EXPECT_EQ(service
                .Ecctl({"cluster", "modify", "demo", "--nodes", "5", "--new-zones", "a,b",
                        "--engine-version", "1.6.17", "--no-apply-immediately",
                        "--no-auto-minor-version-upgrade", "--notification-status", "inactive"})
                .exit,
            0);
  EXPECT_EQ(Text(seen),
            "cache_cluster_id: \"demo\" num_cache_nodes: 5 new_availability_zones: \"a\" "
            "new_availability_zones: \"b\" notification_topic_status: \"inactive\" "
            "apply_immediately: false engine_version: \"1.6.17\" "
            "auto_minor_version_upgrade: false");
}

TEST(ClusterList, ShowsOneRowEachAndWhereClientsBegin) {
  FakeService service;
  service.describe = Describing(
      {MakeCluster("demo", "available"), MakeCluster("pages", "modifying", "memcached", 2, 11211)});
  const Ended ended = service.Ecctl({"cluster", "list"});
  EXPECT_EQ(ended.exit, 0) << ended.err;
  EXPECT_EQ(ended.out,
            "CLUSTER  STATUS     ENGINE     VERSION  NODE-TYPE       NODES  ZONE        ENDPOINT   "
            "      AGE\n"
            "demo     available  redis      7.0.7    cache.t3.micro  1      us-east-1a  "
            "127.0.0.1:6379   -\n"
            "pages    modifying  memcached  1.6.12   cache.t3.micro  2      us-east-1a  "
            "127.0.0.1:11213  -\n");
}

TEST(ClusterList, OfNoneSaysSoOnStandardError) {
  FakeService service;
  service.describe = Describing({});
  const Ended ended = service.Ecctl({"cluster", "list"});
  EXPECT_EQ(ended.exit, 0);
  EXPECT_EQ(ended.out, "");
  EXPECT_THAT(ended.err, HasSubstr("There are no cache clusters."));
}

TEST(ClusterList, PutsAllPagesTogether) {
  FakeService service;
  service.describe = [](const auto& request, auto* response) {
    const bool first = request.marker().empty();
    *response->add_cache_clusters() = MakeCluster(first ? "one" : "two", "available");
    if (first) response->set_marker("more");
    return grpc::Status::OK;
  };
  const Ended ended = service.Ecctl({"cluster", "list", "-o", "json"});
  const json answer = json::parse(ended.out);
  ASSERT_EQ(answer["cache_clusters"].size(), 2u);
  EXPECT_EQ(answer["cache_clusters"][1]["cache_cluster_id"], "two");
  EXPECT_FALSE(answer.contains("marker"));
}

TEST(ClusterShow, TellsNodesTagsPendingChangesAndLastEvents) {
  FakeService service;
  v1::CacheCluster cluster = MakeCluster("pages", "available", "memcached", 2, 11211);
  cluster.mutable_pending_modified_values()->set_num_cache_nodes(1);
  cluster.mutable_pending_modified_values()->add_cache_node_ids_to_remove("0002");
  cluster.mutable_cache_nodes(1)->set_trouble("died: out of memory");
  cluster.mutable_cache_nodes(1)->set_engine_pid(4242);
  service.describe = Describing({cluster});
  service.list_tags = [](const auto& request, auto* response) {
    EXPECT_EQ(request.resource_name(), "arn:aws:elasticache:us-east-1:000000000000:cluster:pages");
    response->add_tag_list()->set_key("team");
    response->mutable_tag_list(0)->set_value("web");
    return grpc::Status::OK;
  };
  service.events = [](const auto&, auto* response) {
    for (uint64_t i = 1; i <= 7; ++i) {
      *response->add_events() = MakeEvent(i, "pages", "event number " + std::to_string(i));
    }
    return grpc::Status::OK;
  };
  const Ended ended = service.Ecctl({"cluster", "show", "pages"});
  EXPECT_EQ(ended.exit, 0) << ended.err;
  for (const char* part :
       {"Status                  available\n", "Engine                  memcached 1.6.12\n",
        "Installed version       1.6.18\n", "Configuration endpoint  127.0.0.1:11213\n",
        "Pending changes         1 node; remove 0002\n", "us-east-1a  -     1.6.18\n",
        "us-east-1a  4242  1.6.18   died: out of memory\n", "team  web\n", "event number 3\n",
        "event number 7\n"}) {
    EXPECT_THAT(ended.out, HasSubstr(part));
  }
  EXPECT_THAT(ended.out, testing::Not(HasSubstr("event number 2\n")));
}

TEST(ClusterShow, DoesWithoutTagsAndEventsThatCannotBeHad) {
  FakeService service;
  service.describe = Describing({MakeCluster("demo", "creating")});
  const Ended ended = service.Ecctl({"cluster", "show", "demo"});
  EXPECT_EQ(ended.exit, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("creating"));
  const Ended as_json = service.Ecctl({"cluster", "show", "demo", "-o", "json"});
  EXPECT_EQ(json::parse(as_json.out)["cache_clusters"][0]["cache_nodes"][0]["cache_node_id"],
            "0001");
}

TEST(ClusterDelete, NeedsYesWithoutATerminal) {
  FakeService service;
  bool deleted = false;
  service.remove = [&](const auto& request, auto* response) {
    deleted = true;
    *response->mutable_cache_cluster() = MakeCluster(request.cache_cluster_id(), "deleting");
    return grpc::Status::OK;
  };
  const Ended refused = service.Ecctl({"cluster", "delete", "demo"}, "y\n");
  EXPECT_EQ(refused.exit, 2);
  EXPECT_THAT(refused.err, HasSubstr("--yes"));
  EXPECT_FALSE(deleted);
  const Ended done = service.Ecctl({"cluster", "delete", "demo", "--yes"});
  EXPECT_EQ(done.exit, 0) << done.err;
  EXPECT_TRUE(deleted);
  EXPECT_EQ(done.out, "Cache cluster demo is being deleted.\n");
}

TEST(ClusterDelete, AsksOnATerminal) {
  FakeService service;
  int deleted = 0;
  service.remove = [&](const auto& request, auto* response) {
    ++deleted;
    *response->mutable_cache_cluster() = MakeCluster(request.cache_cluster_id(), "deleting");
    return grpc::Status::OK;
  };
  for (const char* answer : {"n\n", "\n", "maybe\n", "y\n"}) {
    Running running(EcctlCommand({"cluster", "delete", "demo"}), service.environment(),
                    Input::kTerminal);
    ASSERT_TRUE(running.PrintsOut("Delete cache cluster demo and all its data? [y/N] "));
    running.Type(answer);
    const Ended ended = running.Await();
    const bool agreed = answer[0] == 'y';
    EXPECT_EQ(ended.exit, agreed ? 0 : 1);
    EXPECT_EQ(deleted, agreed ? 1 : 0);
    EXPECT_THAT(ended.out, HasSubstr(agreed ? "is being deleted" : "nothing was changed"));
  }
}

TEST(ClusterList, IsColouredOnATerminalUnlessToldOtherwise) {
  FakeService service;
  service.describe = Describing({MakeCluster("demo", "available")});
  const auto list = [&](const std::vector<std::string>& words, const Environment& more) {
    Environment environment = service.environment();
    environment.insert(more.begin(), more.end());
    Running running(EcctlCommand(words), environment, Input::kTerminal);
    return running.Await().out;
  };
  EXPECT_THAT(list({"cluster", "list"}, {}), HasSubstr("\x1b[32mavailable\x1b[0m"));
  EXPECT_THAT(list({"cluster", "list", "--no-color"}, {}), testing::Not(HasSubstr("\x1b[")));
  EXPECT_THAT(list({"cluster", "list"}, {{"NO_COLOR", "1"}}), testing::Not(HasSubstr("\x1b[")));
}

TEST(ClusterReboot, TakesAllNodesOrTheNamedOnes) {
  FakeService service;
  service.describe = Describing({MakeCluster("pages", "available", "memcached", 3)});
  v1::RebootCacheClusterRequest seen;
  service.reboot = [&](const auto& request, auto* response) {
    seen = request;
    *response->mutable_cache_cluster() = MakeCluster("pages", "rebooting cluster nodes");
    return grpc::Status::OK;
  };
  EXPECT_EQ(service.Ecctl({"cluster", "reboot", "pages"}).exit, 0);
  EXPECT_THAT(seen.cache_node_ids_to_reboot(), testing::ElementsAre("0001", "0002", "0003"));
  EXPECT_EQ(service.Ecctl({"cluster", "reboot", "pages", "--nodes", "0002,0003"}).exit, 0);
  EXPECT_THAT(seen.cache_node_ids_to_reboot(), testing::ElementsAre("0002", "0003"));
}

TEST(Tag, OfABareIdGoesToTheClustersArn) {
  FakeService service;
  service.describe = Describing({MakeCluster("demo", "available")});
  v1::AddTagsToResourceRequest added;
  service.add_tags = [&](const auto& request, auto* response) {
    added = request;
    *response->mutable_tag_list() = request.tags();
    return grpc::Status::OK;
  };
  v1::RemoveTagsFromResourceRequest removed;
  service.remove_tags = [&](const auto& request, auto*) {
    removed = request;
    return grpc::Status::OK;
  };
  const Ended ended = service.Ecctl({"tag", "add", "demo", "team=web", "empty"});
  EXPECT_EQ(ended.exit, 0) << ended.err;
  EXPECT_EQ(Text(added),
            "resource_name: \"arn:aws:elasticache:us-east-1:000000000000:cluster:demo\" "
            "tags { key: \"team\" value: \"web\" } tags { key: \"empty\" value: \"\" }");
  EXPECT_EQ(ended.out, "TAG    VALUE\nteam   web\nempty\n");
  EXPECT_EQ(service.Ecctl({"tag", "remove", "arn:x", "team"}).exit, 0);
  EXPECT_EQ(Text(removed), "resource_name: \"arn:x\" tag_keys: \"team\"");
  EXPECT_EQ(service.Ecctl({"tag", "add", "demo", "=web"}).exit, 2);
}

TEST(EndpointList, CanBeNarrowedToAHost) {
  FakeService service;
  service.endpoints = [](const auto&, auto* response) {
    for (const char* host : {"host-a", "host-b"}) {
      v1::EndpointStatus* one = response->add_endpoints();
      one->set_kind("node");
      one->set_cache_cluster_id("demo");
      one->set_cache_node_id("0001");
      one->set_host_id(host);
      one->set_listening(true);
      one->set_connections_open(3);
      one->set_connections_accepted(9);
      one->set_connections_handed_over(4);
      one->set_connections_relayed(3);
      one->set_connections_refused(4);
      one->set_connections_refused_full(1);
      one->set_connections_refused_by_fault(2);
      one->set_carry("first-bytes");
      one->mutable_endpoint()->set_address("127.10.0.5");
      one->mutable_endpoint()->set_port(6379);
      one->set_vpc_address("10.0.0.5");
    }
    return grpc::Status::OK;
  };
  const Ended ended = service.Ecctl({"endpoint", "list", "--host", "host-b"});
  EXPECT_EQ(ended.out,
            "CLUSTER  NODE  KIND  ENDPOINT         IN-VPC    HOST    LISTENING  CARRY        "
            "ACCEPTED  HANDED-OVER  RELAYED  OPEN  REFUSED  CUT  TROUBLE\n"
            "demo     0001  node  127.10.0.5:6379  10.0.0.5  host-b  yes        first-bytes  "
            "9         4            3        3     4        0\n");
  const std::string shown = service.Ecctl({"endpoint", "show", "127.10.0.5"}).out;
  EXPECT_THAT(shown, HasSubstr("Handed over     4\n"));
  EXPECT_THAT(
      shown,
      HasSubstr("Refused         4 (from outside the VPC: 0, by no rule admitted: 0, by a fault: "
                "2, no engine: 1, agent full: 1)\n"));
  EXPECT_EQ(service.Ecctl({"endpoint", "show", "127.10.0.5:6379"}).out, shown);
  EXPECT_EQ(service.Ecctl({"endpoint", "show", "127.10.0.9"}).exit, 1);
}

TEST(Catalogue, ListsNodeTypesForAnEngine) {
  FakeService service;
  service.node_types = [](const auto& request, auto* response) {
    for (const char* name : {"cache.t3.micro", "cache.r6gd.xlarge"}) {
      if (request.has_cache_node_type() && request.cache_node_type() != name) continue;
      v1::CacheNodeType* type = response->add_cache_node_types();
      type->set_cache_node_type(name);
      type->set_redis_maxmemory_bytes(536870912);
      if (type->cache_node_type() == "cache.t3.micro") type->set_memcached_max_cache_memory_mb(500);
    }
    return grpc::Status::OK;
  };
  EXPECT_THAT(service.Ecctl({"node-type", "list"}).out, HasSubstr("cache.r6gd.xlarge  -     -"));
  const std::string memcached = service.Ecctl({"node-type", "list", "--engine", "memcached"}).out;
  EXPECT_THAT(memcached, HasSubstr("cache.t3.micro  -     -       512 MiB          500 MiB"));
  EXPECT_THAT(memcached, testing::Not(HasSubstr("r6gd")));
  EXPECT_THAT(service.Ecctl({"node-type", "show", "cache.r6gd.xlarge"}).out,
              testing::Not(HasSubstr("t3")));
}

TEST(Catalogue, ListsEngineVersions) {
  FakeService service;
  service.versions = [](const auto& request, auto* response) {
    EXPECT_EQ(request.engine(), "redis");
    EXPECT_TRUE(request.default_only());
    v1::CacheEngineVersion* version = response->add_cache_engine_versions();
    version->set_engine("redis");
    version->set_engine_version("7.1.0");
    version->set_cache_parameter_group_family("redis7");
    version->set_installed_engine_version("7.0.15");
    return grpc::Status::OK;
  };
  EXPECT_EQ(service.Ecctl({"engine-version", "list", "--engine", "redis", "--default-only"}).out,
            "ENGINE  VERSION  FAMILY  INSTALLED\nredis   7.1.0    redis7  7.0.15\n");
}

}  // namespace
}  // namespace ec::cli
