#include "tests/integration/clients.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cstdlib>
#include <sstream>

#include "common/tcp_socket.h"

namespace ec::integration {
namespace {

constexpr timeval kPatience{5, 0};

}  // namespace

RedisClient::RedisClient(const v1::Endpoint& endpoint, std::chrono::milliseconds patience,
                         const std::string& from) {
  const timeval time{patience.count() / 1000, patience.count() % 1000 * 1000};
  if (from.empty()) {
    context_.reset(redisConnectWithTimeout(endpoint.address().c_str(), endpoint.port(), time));
  } else {
    UniqueFd fd = ConnectTcp(
        {*ParseIp4(endpoint.address()), static_cast<uint16_t>(endpoint.port())}, *ParseIp4(from));
    pollfd made{.fd = fd.get(), .events = POLLOUT, .revents = 0};
    poll(&made, 1, static_cast<int>(patience.count()));
    fcntl(fd.get(), F_SETFL, fcntl(fd.get(), F_GETFL) & ~O_NONBLOCK);
    context_.reset(redisConnectFd(fd.release()));
  }
  if (connected()) redisSetTimeout(context_.get(), time);
}

std::string RedisClient::Do(const std::vector<std::string>& words) {
  std::vector<const char*> pointers;
  std::vector<size_t> lengths;
  for (const std::string& word : words) {
    pointers.push_back(word.data());
    lengths.push_back(word.size());
  }
  auto* reply = static_cast<redisReply*>(redisCommandArgv(
      context_.get(), static_cast<int>(words.size()), pointers.data(), lengths.data()));
  if (reply == nullptr) return "(gone)";
  std::string text;
  switch (reply->type) {
    case REDIS_REPLY_NIL:
      text = "(nil)";
      break;
    case REDIS_REPLY_INTEGER:
      text = std::to_string(reply->integer);
      break;
    case REDIS_REPLY_ARRAY:
      for (size_t i = 0; i < reply->elements; ++i) {
        text += (i == 0 ? "" : " ") + std::string(reply->element[i]->str, reply->element[i]->len);
      }
      break;
    default:
      text.assign(reply->str, reply->len);
  }
  freeReplyObject(reply);
  return text;
}

RedisAdmin::RedisAdmin(const v1::Endpoint& endpoint, const std::string& directory)
    : login_(LoginBeside(directory + "/engine.sock")), client_(endpoint) {
  EXPECT_EQ(client_.Do({"AUTH", std::string(kAdminUser), login_.secret}), "OK");
}

std::string RedisAdmin::Do(std::vector<std::string> words) {
  words.at(0) = login_.Name(words.at(0));
  return client_.Do(words);
}

MemcachedClient::MemcachedClient(const v1::Endpoint& endpoint)
    : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(endpoint.port()));
  inet_pton(AF_INET, endpoint.address().c_str(), &to.sin_addr);
  setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof(kPatience));
  if (connect(fd_.get(), reinterpret_cast<sockaddr*>(&to), sizeof(to)) < 0) fd_.reset();
}

std::string MemcachedClient::Ask(const std::string& bytes, const std::string& end) {
  if (!fd_ || send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) return {};
  std::string received;
  while (received.find(end) == std::string::npos) {
    char buffer[4096];
    const ssize_t got = recv(fd_.get(), buffer, sizeof(buffer), 0);
    if (got <= 0) return {};
    received.append(buffer, static_cast<size_t>(got));
  }
  return received;
}

bool MemcachedClient::Set(const std::string& key, const std::string& value) {
  return Ask("set " + key + " 0 0 " + std::to_string(value.size()) + "\r\n" + value + "\r\n",
             "\r\n") == "STORED\r\n";
}

std::string MemcachedClient::Get(const std::string& key) {
  const std::string reply = Ask("get " + key + "\r\n", "END\r\n");
  if (!reply.starts_with("VALUE ")) return reply.empty() ? "(gone)" : "(none)";
  const size_t begin = reply.find("\r\n") + 2;
  return reply.substr(begin, reply.size() - begin - std::string("\r\nEND\r\n").size());
}

Discovered Discover(const v1::Endpoint& endpoint) {
  Discovered found;
  MemcachedClient client(endpoint);
  const std::string reply = client.Ask("config get cluster\r\n", "\n\r\nEND\r\n");
  std::istringstream lines(reply);
  std::string header;
  std::string version;
  std::string nodes;
  std::getline(lines, header);
  std::getline(lines, version);
  std::getline(lines, nodes);
  const std::string payload = version + "\n" + nodes + "\n";
  if (header != "CONFIG cluster 0 " + std::to_string(payload.size()) + "\r") return found;
  if (reply != header + "\n" + payload + "\r\nEND\r\n") return found;
  found.version = std::atoi(version.c_str());
  std::istringstream words(nodes);
  for (std::string word; words >> word;) {  // host|ip|port
    const size_t first = word.find('|');
    const size_t second = word.find('|', first + 1);
    v1::Endpoint node;
    node.set_address(word.substr(first + 1, second - first - 1));
    node.set_port(std::atoi(word.substr(second + 1).c_str()));
    found.nodes.push_back(node);
  }
  return found;
}

}  // namespace ec::integration
