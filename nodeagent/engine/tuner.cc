#include "nodeagent/engine/tuner.h"

#include <fmt/format.h>

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "common/engine_login.h"
#include "common/log.h"
#include "common/process.h"
#include "common/unix_socket.h"
#include "nodeagent/engine/acl.h"
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
  Tuning(asio::io_context& io, const MemberSpec& spec, const std::string& socket_path,
         std::function<void(bool)> done)
      : id_(spec.id),
        login_path_(LoginPathBeside(socket_path)),
        socket_(io),
        deadline_(io),
        done_(std::move(done)) {
    EngineLogin login = LoginBeside(socket_path);
    if (spec.access && login.secret.empty()) {
      // Noted before the engine lets nobody in any more.
      login = EngineLogin{spec.access->admin_secret, "", 0, {}};
      login_to_note_ = login;
    }
    commands_ = login.Greeting();
    awaited_ = login.greetings();
    for (const auto& [name, value] : LiveSettings(spec)) {
      commands_ +=
          fmt::format("{} SET {} {}\r\n", login.Name("config"), name, QuoteForRedis(value));
      ++awaited_;
    }
    if (!spec.access) return;
    for (const std::string& command : AclCommands(login, *spec.access)) {
      commands_ += command + "\r\n";
      ++awaited_;
      ++strict_;
    }
    login_after_ = LoginFor(*spec.access, login.prefix);
  }

  void Begin(UniqueFd socket) {
    bool is_there = static_cast<bool>(socket);
    if (is_there && login_to_note_) is_there = Note(*login_to_note_);
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
  bool Note(const EngineLogin& login) const {
    if (ReplaceFile(login_path_, ToText(login), false)) return true;
    LogWarning("login not noted", {{"member", id_}, {"why", std::strerror(errno)}});
    return false;
  }

  // The last answers are those about users: none of them may be an error.
  void Take(const RedisReply& reply) {
    if (awaited_ <= strict_ && reply.is_error) {
      refused_ = true;
      LogWarning("engine refuses its users", {{"member", id_}, {"why", reply.text}});
    }
    --awaited_;
  }

  void End() {
    if (refused_) return Finish(false);
    Finish(!login_after_ || Note(*login_after_));
  }

  void Hear() {
    socket_.async_read_some(asio::buffer(buffer_),
                            [self = shared_from_this()](error_code error, size_t got) {
                              if (error || self->received_.size() > kReplyBytesMax)
                                return self->Finish(false);
                              self->received_.append(self->buffer_.data(), got);
                              std::string_view rest = self->received_;
                              while (self->awaited_ > 0) {
                                const std::optional<RedisReply> reply = TakeRedisReply(&rest);
                                if (!reply) break;
                                self->Take(*reply);
                              }
                              self->received_ = std::string(rest);
                              if (self->awaited_ == 0) return self->End();
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

  const MemberId id_;
  const std::string login_path_;
  asio::posix::stream_descriptor socket_;
  asio::steady_timer deadline_;
  std::function<void(bool)> done_;
  std::string commands_;
  std::optional<EngineLogin> login_to_note_;  // before anything is said
  std::optional<EngineLogin> login_after_;
  size_t awaited_ = 0;
  size_t strict_ = 0;  // of those, the last ones that are about users
  bool refused_ = false;
  std::array<char, 4096> buffer_;
  std::string received_;
};

}  // namespace

void TuneRedis(asio::io_context& io, const MemberSpec& spec, const std::string& socket_path,
               std::function<void(bool)> done) {
  std::make_shared<Tuning>(io, spec, socket_path, std::move(done))->Begin(ConnectUnix(socket_path));
}

}  // namespace ec::engine
