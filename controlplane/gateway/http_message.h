// A request as Boost.Beast has parsed it becomes a plain value.
#pragma once

#include <boost/beast/http.hpp>
#include <cctype>
#include <string>
#include <utility>

#include "controlplane/gateway/headers.h"

namespace ec::gateway {

inline HttpRequest ToRequest(
    boost::beast::http::request<boost::beast::http::string_body>&& message) {
  HttpRequest request;
  request.method = std::string(message.method_string());
  request.target = std::string(message.target());
  for (const auto& field : message) {
    std::string name(field.name_string());
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    request.headers.emplace_back(std::move(name), std::string(field.value()));
  }
  request.body = std::move(message.body());
  return request;
}

}  // namespace ec::gateway
