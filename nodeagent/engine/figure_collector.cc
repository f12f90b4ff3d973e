#include "nodeagent/engine/figure_collector.h"

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <optional>

#include "common/engine_login.h"
#include "common/unique_fd.h"
#include "common/unix_socket.h"
#include "nodeagent/engine/replies.h"

namespace ec::engine {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// INFO is about 10 KB, and more with many databases or replicas.
constexpr size_t kAnswerBytesMax = 256 << 10;

// One question and its answer. Ends when the socket is closed, too.
class Talk : public std::enable_shared_from_this<Talk> {
 public:
  // `heard` is given the whole answer, or nothing.
  using Heard = std::function<void(const std::optional<std::string>&)>;

  Talk(asio::io_context& io, EngineKind engine, UniqueFd socket, const EngineLogin& login,
       Heard heard)
      : engine_(engine),
        greetings_(login.greetings()),
        request_(login.Greeting() + std::string(FiguresRequest(engine))),
        socket_(io, socket.release()),
        heard_(std::move(heard)) {}

  void Begin() {
    asio::async_write(socket_, asio::buffer(request_),
                      [self = shared_from_this()](error_code error, size_t) {
                        if (error) return self->Finish(std::nullopt);
                        self->Listen();
                      });
  }

  void Close() {
    error_code ignored;
    socket_.close(ignored);
  }

 private:
  void Listen() {
    socket_.async_read_some(asio::buffer(buffer_),
                            [self = shared_from_this()](error_code error, size_t got) {
                              if (error || self->received_.size() > kAnswerBytesMax) {
                                return self->Finish(std::nullopt);
                              }
                              self->received_.append(self->buffer_.data(), got);
                              self->Hear();
                            });
  }

  void Hear() {
    std::string_view rest = received_;
    for (size_t i = 0; i < greetings_; ++i) {
      if (!TakeRedisReply(&rest)) return Listen();
    }
    if (!IsWholeAnswer(engine_, rest)) return Listen();
    Finish(std::string(rest));
  }

  void Finish(const std::optional<std::string>& answer) {
    Close();
    if (const Heard heard = std::exchange(heard_, nullptr)) heard(answer);
  }

  const EngineKind engine_;
  const size_t greetings_;
  const std::string request_;
  asio::posix::stream_descriptor socket_;
  Heard heard_;
  std::array<char, 16384> buffer_;
  std::string received_;
};

}  // namespace

// All that were asked at one time. Its timer keeps it alive.
class FigureCollector::Round : public std::enable_shared_from_this<Round> {
 public:
  Round(FigureCollector& collector, Instant now, Done done)
      : collector_(collector), timer_(collector.io_), now_(now), done_(std::move(done)) {}

  void Begin(const std::vector<Target>& targets, Duration max) {
    timer_.expires_after(max);
    timer_.async_wait([self = shared_from_this()](error_code error) {
      if (!error) self->Finish();
    });
    awaited_ = targets.size();
    for (const Target& target : targets) {
      UniqueFd socket = ConnectUnix(target.socket_path);
      if (!socket) {
        --awaited_;
        continue;
      }
      const EngineLogin login =
          SpeaksRedis(target.engine) ? LoginBeside(target.socket_path) : EngineLogin{};
      const auto talk = std::make_shared<Talk>(
          collector_.io_, target.engine, std::move(socket), login,
          [round = weak_from_this(), target](const std::optional<std::string>& answer) {
            if (const auto self = round.lock()) self->Hear(target, answer);
          });
      talks_.push_back(talk);
      talk->Begin();
    }
    if (awaited_ == 0) {
      asio::post(collector_.io_, [self = shared_from_this()] { self->Finish(); });
    }
  }

 private:
  void Hear(const Target& target, const std::optional<std::string>& answer) {
    if (!done_) return;
    if (answer) {
      const std::pair place{target.id, target.launch};
      const auto before = collector_.used_.find(place);
      std::optional<ProcessorUse> use;
      if (before != collector_.used_.end()) use = before->second;
      EngineFigures figures = ParseFigures(target.engine, *answer, now_, &use);
      if (use) used_[place] = *use;
      if (!figures.empty()) figures_[target.id] = std::move(figures);
    }
    if (--awaited_ == 0) Finish();
  }

  void Finish() {
    const Done done = std::exchange(done_, nullptr);
    if (!done) return;
    timer_.cancel();
    for (const auto& talk : std::exchange(talks_, {})) talk->Close();
    // Launches that were not looked at now are over, or are looked at anew.
    collector_.used_ = std::move(used_);
    done(std::move(figures_));
  }

  FigureCollector& collector_;
  asio::steady_timer timer_;
  const Instant now_;
  Done done_;
  size_t awaited_ = 0;
  std::vector<std::shared_ptr<Talk>> talks_;
  std::map<std::pair<MemberId, uint64_t>, ProcessorUse> used_;
  std::map<MemberId, EngineFigures> figures_;
};

void FigureCollector::Collect(const std::vector<Target>& targets, Duration max, Instant now,
                              Done done) {
  std::make_shared<Round>(*this, now, std::move(done))->Begin(targets, max);
}

}  // namespace ec::engine
