// What is fed with bytes from strangers. A target takes any bytes and returns; what it finds wrong
// ends the process (EC_CHECK, or a sanitizer).
//
// `./dev test --full` builds each one with clang's libFuzzer and runs it for a minute, beginning
// with tests/fuzz/corpus/<name>. The ordinary tests run those bytes through it, too.
#pragma once

#include <string_view>

namespace ec::fuzz {

void Query(std::string_view bytes);       // a form of AWS's Query or EC2 protocol
void Http(std::string_view bytes);        // a whole HTTP request, up to the answer
void Xml(std::string_view bytes);         // answers whose members hold these bytes
void Parameters(std::string_view bytes);  // values of cache parameters
void Access(std::string_view bytes);      // a user's access string
void Framing(std::string_view bytes);     // what a client sends to a Memcached

struct Target {
  std::string_view name;
  void (*run)(std::string_view bytes);
};
// A new one has its line here, and its name in CMakeLists.txt.
inline constexpr Target kTargets[] = {
    {"query", Query},           {"http", Http},     {"xml", Xml},
    {"parameters", Parameters}, {"access", Access}, {"framing", Framing},
};

}  // namespace ec::fuzz
