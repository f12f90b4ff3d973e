// What ecctl prints: tables, JSON, errors, and the progress of something that takes a while.
#pragma once

#include <google/protobuf/message.h>
#include <google/protobuf/timestamp.pb.h>

#include <string>
#include <string_view>
#include <vector>

#include "cli/outcome.h"
#include "common/time.h"

namespace ec::cli {

// Columns as wide as their widest cell; no borders; nothing behind the last cell.
class Table {
 public:
  explicit Table(std::vector<std::string> headers);

  // REQUIRES: as many cells as there are headers
  void Add(std::vector<std::string> cells);

  // Cells of this column are coloured by ColorOf() when Text() is asked for colours.
  void ColorStatusColumn(size_t column) { status_column_ = column; }

  bool empty() const { return rows_.size() == 1; }
  std::string Text(bool color) const;

 private:
  std::vector<std::vector<std::string>> rows_;  // the headers first
  size_t status_column_ = static_cast<size_t>(-1);
};

// `status` in green when all is well, yellow while it changes, red when it has failed.
std::string Colored(std::string_view status);

WallTime ToWallTime(const google::protobuf::Timestamp& time);
std::string FormatTime(const google::protobuf::Timestamp& time);

// The API's own message with the field names of the proto. Empty lists and false and zero values
// that were sent are printed; fields that were not sent are not. `one_line` for streams.
std::string ToJson(const google::protobuf::Message& message, bool one_line = false);

// Prints to standard output; a following newline is added.
void PrintLine(std::string_view text);

// The same, at once, for what somebody may be waiting for. False: nobody reads it any more.
bool PrintLineNow(std::string_view text);

// One line on standard error: "ecctl: CODE: message", or {"error":{"code":...,"message":...}}.
// Nothing when the outcome has no message.
void PrintError(const Outcome& outcome, bool json);

// A remark on standard error that is no error.
void PrintNote(std::string_view text);

// Tells on standard error how something goes. On a terminal the last line is alive: it is
// overwritten, and gone at the end. Elsewhere only what Line() is given is printed.
class Progress {
 public:
  Progress();
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Line(std::string_view text);
  void Live(std::string_view text);

 private:
  void Erase();

  const bool terminal_;
  bool alive_ = false;
  size_t frame_ = 0;
};

}  // namespace ec::cli
