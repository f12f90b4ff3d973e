// When an engine is not even started.
#include "nodeagent/engine/member_directory.h"

#include <gmock/gmock.h>
#include <stdlib.h>

#include <filesystem>
#include <string>

namespace ec::engine {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class MemberDirectoryTest : public ::testing::Test {
 protected:
  MemberDirectoryTest() {
    char name[] = "/tmp/member_directory_test.XXXXXX";
    members_ = mkdtemp(name);
    start_.spec.id = 7;
    start_.spec.tls = TlsSpec{{"127.10.0.4"}, "certificate\n", "key\n", "authority\n"};
    start_.launch = 1;
    start_.address = {*ParseIp4("127.10.0.4"), 6379};
  }
  ~MemberDirectoryTest() override { std::filesystem::remove_all(members_); }

  std::string WhyNotStarted(const Program& program) {
    const Result<Spawned> started = MemberDirectory(members_, 7).Start(start_, program, Machine{});
    return started.ok() ? "started" : started.status().message();
  }

  std::string members_;
  host::StartEngine start_;
};

TEST_F(MemberDirectoryTest, AnEngineThatIsToSpeakTlsIsNotStartedWithoutANetcard) {
  const Program program{"/usr/bin/redis-server", "7.0.15", "", "it is statically linked"};
  EXPECT_THAT(WhyNotStarted(program),
              AllOf(HasSubstr("encryption in transit needs an engine that takes connections from"),
                    HasSubstr("/usr/bin/redis-server does not: it is statically linked")));
  EXPECT_FALSE(std::filesystem::exists(members_ + "/7/engine.conf"));
}

TEST_F(MemberDirectoryTest, AnEngineThatIsToSpeakTlsIsNotStartedWithoutACertificate) {
  start_.spec.tls->certificate.clear();
  EXPECT_THAT(WhyNotStarted({"/usr/bin/redis-server", "7.0.15", "/some/library.so", ""}),
              HasSubstr("could not make a certificate"));
}

}  // namespace
}  // namespace ec::engine
