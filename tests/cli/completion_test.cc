// Completion, first by itself and then through the scripts in real shells.
#include "cli/completion.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <sstream>

#include "tests/cli/network_support.h"

namespace ec::cli {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

class Completion : public testing::Test {
 protected:
  Completion() {
    service_.describe = Describing({MakeCluster("demo", "available"),
                                    MakeCluster("pages", "available", "memcached", 3),
                                    MakeCluster("patient", "creating")});
    service_.describe_groups = DescribingGroups({MakeGroup("orders", "available", 3)});
    service_.hosts = [](const auto&, auto* response) {
      for (const char* zone : {"us-east-1a", "us-east-1b"}) {
        response->add_hosts()->set_host_id(std::string("host-") + zone);
        response->mutable_hosts(response->hosts_size() - 1)->set_availability_zone(zone);
      }
      return grpc::Status::OK;
    };
    service_.node_types = [](const auto&, auto* response) {
      response->add_cache_node_types()->set_cache_node_type("cache.t3.micro");
      response->add_cache_node_types()->set_cache_node_type("cache.m5.large");
      return grpc::Status::OK;
    };
    service_.versions = [](const auto& request, auto* response) {
      response->add_cache_engine_versions()->set_engine_version(
          request.engine() == "memcached" ? "1.6.12" : "7.1.0");
      return grpc::Status::OK;
    };
    service_.list_tags = [](const auto&, auto* response) {
      response->add_tag_list()->set_key("team");
      return grpc::Status::OK;
    };
    AddInstances(&service_);
  }

  // The words that `ecctl __complete` offers for the last of `words`.
  std::vector<std::string> Offers(std::vector<std::string> words) {
    words.insert(words.begin(), "__complete");
    const Ended ended = service_.Ecctl(words);
    EXPECT_EQ(ended.exit, 0);
    EXPECT_EQ(ended.err, "");
    std::vector<std::string> offers;
    for (const std::string& line : Lines(ended.out))
      offers.push_back(line.substr(0, line.find('\t')));
    return offers;
  }

  // What Tab makes of the command line in a real bash: COMP_WORDS is split as readline does it.
  std::vector<std::string> BashOffers(const std::vector<std::string>& words) {
    std::string script = "eval \"$(ecctl completion bash)\"\nCOMP_WORDS=(ecctl";
    for (const std::string& word : words) script += " '" + word + "'";
    script += fmt::format(")\nCOMP_CWORD={}\n_ecctl\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n",
                          words.size());
    Running running({"/bin/bash", "--norc", "-c", script}, Paths());
    const Ended ended = running.Await();
    EXPECT_EQ(ended.exit, 0) << ended.err;
    EXPECT_EQ(ended.err, "");
    std::vector<std::string> offers = Lines(ended.out);
    if (offers == std::vector<std::string>{""}) offers.clear();
    return offers;
  }

  Environment Paths() const {
    Environment environment = service_.environment();
    const std::string program = BuiltProgram("ecctl");
    environment["PATH"] = program.substr(0, program.rfind('/')) + ":/usr/bin:/bin";
    return environment;
  }

  FakeService service_;
};

TEST_F(Completion, OffersCommandsAndSubcommands) {
  EXPECT_THAT(Offers({"c"}), ElementsAre("cluster", "connect", "clock", "completion"));
  EXPECT_THAT(Offers({"cluster", ""}), ElementsAre("create", "list", "show", "modify", "delete",
                                                   "reboot", "promote", "demote"));
  EXPECT_THAT(Offers({"-o", "json", "cluster", "re"}), ElementsAre("reboot"));
  EXPECT_THAT(Offers({"help", "cluster", "mo"}), ElementsAre("modify"));
  EXPECT_THAT(Offers({""}), Not(Contains("__complete")));
}

TEST_F(Completion, OffersOptionsOfTheCommandAndGlobalOnes) {
  EXPECT_THAT(Offers({"cluster", "create", "--zo"}), ElementsAre("--zone", "--zones"));
  EXPECT_THAT(Offers({"cluster", "create", "x", "--"}),
              IsSupersetOf({"--engine", "--wait", "--tag", "--dir", "--output", "--timeout"}));
  EXPECT_THAT(Offers({"cluster", "modify", "x", "--no-ap"}), ElementsAre("--no-apply-immediately"));
}

TEST_F(Completion, OffersValues) {
  EXPECT_THAT(Offers({"cluster", "show", ""}), ElementsAre("demo", "pages", "patient"));
  EXPECT_THAT(Offers({"cluster", "show", "pa"}), ElementsAre("pages", "patient"));
  EXPECT_THAT(Offers({"cluster", "show", "demo", ""}), IsEmpty());
  EXPECT_THAT(Offers({"cluster", "create", "x", "--node-type", "cache.t"}),
              ElementsAre("cache.t3.micro"));
  EXPECT_THAT(Offers({"cluster", "create", "x", "--engine", ""}),
              ElementsAre("memcached", "redis", "valkey"));
  EXPECT_THAT(Offers({"cluster", "create", "--engine", "memcached", "--engine-version", ""}),
              ElementsAre("1.6.12"));
  EXPECT_THAT(Offers({"endpoint", "list", "--host", ""}),
              ElementsAre("host-us-east-1a", "host-us-east-1b"));
  EXPECT_THAT(Offers({"connect", "pages", "--node", ""}), ElementsAre("0001", "0002", "0003"));
  EXPECT_THAT(Offers({"tag", "remove", "demo", ""}), ElementsAre("team"));
  EXPECT_THAT(Offers({"group", "show", ""}), ElementsAre("orders"));
  EXPECT_THAT(Offers({"group", "switchover", "orders", "--to", ""}),
              ElementsAre("orders-001", "orders-002", "orders-003"));
  EXPECT_THAT(Offers({"group", "remove-replica", "orders", "orders-002", ""}),
              Contains("orders-003"));
  EXPECT_THAT(Offers({"cluster", "demote", "demo", "--group", "o"}), ElementsAre("orders"));
  EXPECT_THAT(Offers({"connect", ""}), ElementsAre("demo", "pages", "patient", "orders"));
  EXPECT_THAT(Offers({"instance", "run", ""}), ElementsAre("i-web", "i-gone"));
  EXPECT_THAT(Offers({"instance", "run", "i-web", "c"}), IsEmpty());
  EXPECT_THAT(Offers({"forward", "o"}), ElementsAre("orders"));
  EXPECT_THAT(Offers({"connect", "demo", "--as", "i-w"}), ElementsAre("i-web"));
  EXPECT_THAT(Offers({"rpc", "DescribeCacheC"}), ElementsAre("DescribeCacheClusters"));
  EXPECT_THAT(Offers({"cluster", "list", "-o", "j"}), ElementsAre("json"));
  EXPECT_THAT(Offers({"up", "--log-level", "w"}), ElementsAre("warning"));
}

TEST_F(Completion, OfAListGoesOnAtItsLastElement) {
  EXPECT_THAT(Offers({"cluster", "create", "x", "--zones", "us-east-1b,"}),
              ElementsAre("us-east-1b,us-east-1a", "us-east-1b,us-east-1b"));
  EXPECT_THAT(Offers({"cluster", "reboot", "pages", "--nodes", "0001,0003,0002,00"}),
              Contains("0001,0003,0002,0001"));
}

TEST_F(Completion, UnderstandsTheEqualsSign) {
  EXPECT_THAT(Offers({"cluster", "create", "--engine=re"}), ElementsAre("--engine=redis"));
  EXPECT_THAT(Offers({"cluster", "create", "--engine", "=", "re"}), ElementsAre("redis"));
  EXPECT_THAT(Offers({"cluster", "create", "--engine", "="}),
              ElementsAre("memcached", "redis", "valkey"));
}

TEST_F(Completion, OffersDirectories) {
  const TempDir dir;
  ASSERT_EQ(mkdir((dir.path() + "/inner").c_str(), 0700), 0);
  WriteAll(dir.path() + "/inno", "");
  EXPECT_THAT(Offers({"--dir", dir.path() + "/in"}), ElementsAre(dir.path() + "/inner/"));
}

TEST_F(Completion, OffersNothingBehindDashesOrAMistake) {
  EXPECT_THAT(Offers({"connect", "demo", "--", ""}), IsEmpty());
  EXPECT_THAT(Offers({"clutser", ""}), IsEmpty());
}

TEST_F(Completion, IsSilentWithoutAService) {
  service_.Stop();
  EXPECT_THAT(Offers({"cluster", "show", ""}), IsEmpty());
}

TEST_F(Completion, WorksInBash) {
  EXPECT_THAT(BashOffers({"clu"}), ElementsAre("cluster"));
  EXPECT_THAT(BashOffers({"cluster", "show", "pa"}), ElementsAre("pages", "patient"));
  EXPECT_THAT(BashOffers({"cluster", "create", "--zo"}), ElementsAre("--zone", "--zones"));
  EXPECT_THAT(BashOffers({"cluster", "create", "--node-type", "=", "cache.m"}),
              ElementsAre("cache.m5.large"));
  EXPECT_THAT(BashOffers({"cluster", "show", "zzz"}), IsEmpty());
}

TEST_F(Completion, LoadsIntoBashAndRegistersItself) {
  Running running({"/bin/bash", "--norc", "-c",
                   "eval \"$(ecctl completion bash)\"; complete -p "
                   "ecctl"},
                  Paths());
  EXPECT_EQ(running.Await().out, "complete -F _ecctl ecctl\n");
}

// The functions of zsh's completion system only run inside its line editor, so they are stood in
// for.
TEST_F(Completion, WorksInZsh) {
  const std::string script =
      "function compdef() {}\n"
      "function _describe() { print -l -- ${(P)2} }\n"
      "function compadd() { print -l -- \"${@[4,-1]}\" }\n"
      "eval \"$(ecctl completion zsh)\"\n"
      "words=(ecctl cluster show pa)\nCURRENT=4\n_ecctl\n";
  Running running({"/usr/bin/zsh", "-f", "-c", script}, Paths());
  const Ended ended = running.Await();
  EXPECT_EQ(ended.err, "");
  EXPECT_EQ(ended.out, "pages:memcached, available\npatient:redis, creating\n");
}

}  // namespace
}  // namespace ec::cli
