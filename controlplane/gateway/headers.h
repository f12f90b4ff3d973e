// A request and an answer of HTTP, as plain values: what of them matters here.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ec::gateway {

using Headers = std::vector<std::pair<std::string, std::string>>;  // names in lower case

struct HttpRequest {
  std::string method;  // "POST"
  std::string target;  // as it stands in the request line
  Headers headers;
  std::string body;

  // What stands before and after the question mark.
  std::string_view path() const { return std::string_view(target).substr(0, target.find('?')); }
  std::string_view query() const {
    const size_t mark = target.find('?');
    return mark == std::string::npos ? "" : std::string_view(target).substr(mark + 1);
  }
  // Of several headers of one name, the first. Empty: there is none.
  std::string_view header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (key == name) return value;
    }
    return {};
  }
  bool has_header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (key == name) return true;
    }
    return false;
  }
};

// A body that comes to be piece by piece.
class Pieces {
 public:
  using Taken = std::function<void(std::optional<std::string> piece)>;

  virtual ~Pieces() = default;
  // Calls `taken` once, on any thread, perhaps before it returns: with the next piece, or with
  // nothing at the end. REQUIRES: the piece before was taken.
  virtual void Next(Taken taken) = 0;
  // Nobody wants any more of it: what is waited for ends soon.
  virtual void Cancel() = 0;
};

struct HttpAnswer {
  int status = 200;
  std::string content_type;
  std::string body;
  std::string request_id;                    // empty: the answer names none
  std::shared_ptr<Pieces> pieces = nullptr;  // present: they are the body
};

}  // namespace ec::gateway
