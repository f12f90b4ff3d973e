#include "nodeagent/engine/tuner.h"

#include <fmt/format.h>

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <utility>

#include "common/unix_socket.h"
#include "nodeagent/engine/recipe.h"
#include "nodeagent/engine/replies.h"

namespace ec::engine {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr auto kTuningMax = std::chrono::milliseconds(1000);
constexpr size_t kReplyBytesMax = 1 << 20;

// One connection: everything is said at once, and the answers are counted.
class Tuning : public std::enable_shared_from_this<Tuning> {
 public:
  Tuning(asio::io_context& io, const MemberSpec& spec, std::function<void(bool)> done)
      : socket_(io), deadline_(io), done_(std::move(done)) {
    for (const auto& [name, value] : LiveSettings(spec)) {
      commands_ += fmt::format("CONFIG SET {} {}\r\n", name, QuoteForRedis(value));
      ++awaited_;
    }
  }

  void Begin(UniqueFd socket) {
    const bool is_there = static_cast<bool>(socket);
    deadline_.expires_after(is_there ? kTuningMax : std::chrono::milliseconds(0));
    deadline_.async_wait([self = shared_from_this()](error_code error) {
      if (!error) self->Finish(false);
    });
    if (!is_there) return;
    socket_.assign(socket.release());
    asio::async_write(socket_, asio::buffer(commands_),
                      [self = shared_from_this()](error_code error, size_t) {
                        if (error) return self->Finish(false);
                        self->Hear();
                      });
  }

 private:
  void Hear() {
    socket_.async_read_some(asio::buffer(buffer_),
                            [self = shared_from_this()](error_code error, size_t got) {
                              if (error || self->received_.size() > kReplyBytesMax)
                                return self->Finish(false);
                              self->received_.append(self->buffer_.data(), got);
                              std::string_view rest = self->received_;
                              while (self->awaited_ > 0 && TakeRedisReply(&rest)) --self->awaited_;
                              self->received_ = std::string(rest);
                              if (self->awaited_ == 0) return self->Finish(true);
                              self->Hear();
                            });
  }

  void Finish(bool ok) {
    const auto done = std::exchange(done_, nullptr);
    deadline_.cancel();
    error_code ignored;
    socket_.close(ignored);
    if (done) done(ok);
  }

  asio::posix::stream_descriptor socket_;
  asio::steady_timer deadline_;
  std::function<void(bool)> done_;
  std::string commands_;
  size_t awaited_ = 0;
  std::array<char, 4096> buffer_;
  std::string received_;
};

}  // namespace

void TuneRedis(asio::io_context& io, const MemberSpec& spec, const std::string& socket_path,
               std::function<void(bool)> done) {
  std::make_shared<Tuning>(io, spec, std::move(done))->Begin(ConnectUnix(socket_path));
}

}  // namespace ec::engine
