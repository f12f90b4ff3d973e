#include "nodeagent/engine/preload.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace ec::engine {
namespace {

namespace fs = std::filesystem;

const std::string kLibrary = EC_BIN_DIR "/libec_netcard.so";

class PreloadTest : public testing::Test {
 protected:
  PreloadTest() {
    std::string name = fs::temp_directory_path() / "preload_test.XXXXXX";
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  ~PreloadTest() override { fs::remove_all(directory_); }

  // A copy of this very program, with these mode bits.
  std::string Copy(mode_t mode) {
    const std::string path = directory_ + "/program" + std::to_string(mode);
    fs::copy_file("/proc/self/exe", path);
    EXPECT_EQ(chmod(path.c_str(), mode), 0);
    return path;
  }
  std::string Write(const std::string& content) {
    const std::string path = directory_ + "/file";
    std::ofstream(path, std::ios::trunc) << content;
    return path;
  }

  std::string directory_;
};

TEST_F(PreloadTest, AnOrdinaryProgramTakesTheLibrary) {
  EXPECT_EQ(WhyNotPreloaded(Copy(0755), kLibrary), "");
  fs::create_symlink(Copy(0700), directory_ + "/link");
  EXPECT_EQ(WhyNotPreloaded(directory_ + "/link", kLibrary), "");
}

TEST_F(PreloadTest, AProgramWithPrivilegesOfItsOwnDoesNot) {
  EXPECT_EQ(WhyNotPreloaded(Copy(04755), kLibrary), "it is setuid or setgid");
  EXPECT_EQ(WhyNotPreloaded(Copy(02755), kLibrary), "it is setuid or setgid");
}

TEST_F(PreloadTest, AStaticProgramDoesNot) {
  EXPECT_EQ(WhyNotPreloaded(EC_BIN_DIR "/static_program", kLibrary), "it is statically linked");
}

TEST_F(PreloadTest, WhatIsNoProgramDoesNot) {
  for (const std::string content : {"", "#!/bin/sh\nexec redis-server \"$@\"\n",
                                    "\x7f"
                                    "ELF"}) {
    EXPECT_EQ(WhyNotPreloaded(Write(content), kLibrary), "it is not a program for this machine");
  }
  EXPECT_EQ(WhyNotPreloaded(directory_ + "/nowhere", kLibrary), "No such file or directory");
}

TEST_F(PreloadTest, ALibraryThatIsNoneIsNotTaken) {
  EXPECT_EQ(WhyNotPreloaded(Copy(0755), directory_ + "/nowhere"),
            directory_ + "/nowhere: No such file or directory");
  const std::string file = Write("no library");
  EXPECT_EQ(WhyNotPreloaded(Copy(0700), file), file + " is not a library");
}

}  // namespace
}  // namespace ec::engine
