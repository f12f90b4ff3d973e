#include "controlplane/gateway/settling.h"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <utility>

#include "ec/v1/options.pb.h"

namespace ec::gateway {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MethodDescriptor;
using google::protobuf::Reflection;
using std::chrono::milliseconds;

constexpr std::string_view kTransits[] = {"creating", "modifying", "deleting",
                                          "rebooting cluster nodes", "snapshotting"};
constexpr milliseconds kPauseMax{25};

class Watch : public std::enable_shared_from_this<Watch> {
 public:
  Watch(Api& api, boost::asio::io_context& io, SettlingQuestion question,
        std::function<void()> done)
      : api_(api), timer_(io), question_(std::move(question)), done_(std::move(done)) {}

  void Look() {
    MessagePtr request(question_.request->New());
    request->CopyFrom(*question_.request);
    api_.Call(*question_.method, std::move(request),
              [self = shared_from_this()](const grpc::Status& status, const MessagePtr& answer) {
                self->Judge(status.ok() && IsInTransit(*answer));
              });
  }

 private:
  void Judge(bool in_transit) {
    if (!in_transit || waited_ >= kSettlingMax) return done_();
    waited_ += pause_;
    timer_.expires_after(pause_);
    pause_ = std::min(pause_ * 2, kPauseMax);
    timer_.async_wait(
        [self = shared_from_this()](const boost::system::error_code&) { self->Look(); });
  }

  Api& api_;
  boost::asio::steady_timer timer_;
  const SettlingQuestion question_;
  const std::function<void()> done_;
  milliseconds pause_{2};
  milliseconds waited_{0};
};

}  // namespace

SettlingQuestion QuestionAfter(const MethodDescriptor& method, const Message& request) {
  const std::string& name = method.options().GetExtension(v1::settles_in);
  if (name.empty()) return {};
  const MethodDescriptor* describe = method.service()->FindMethodByName(name);
  if (describe == nullptr) return {};
  const FieldDescriptor* to = describe->input_type()->field(0);
  const FieldDescriptor* from = method.input_type()->FindFieldByName(to->name());
  if (from == nullptr || !request.GetReflection()->HasField(request, from)) return {};
  SettlingQuestion question{describe, NewMessage(*describe->input_type())};
  question.request->GetReflection()->SetString(question.request.get(), to,
                                               request.GetReflection()->GetString(request, from));
  return question;
}

bool IsInTransit(const Message& description) {
  const Reflection* reflection = description.GetReflection();
  for (int i = 0; i < description.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* list = description.GetDescriptor()->field(i);
    if (!list->is_repeated() || list->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (reflection->FieldSize(description, list) == 0) return false;
    const Message& one = reflection->GetRepeatedMessage(description, list, 0);
    for (int k = 0; k < one.GetDescriptor()->field_count(); ++k) {
      const FieldDescriptor* field = one.GetDescriptor()->field(k);
      if (field->cpp_type() != FieldDescriptor::CPPTYPE_STRING || field->is_repeated()) continue;
      if (field->name() != "status" && !field->name().ends_with("_status")) continue;
      const std::string status = one.GetReflection()->GetString(one, field);
      return std::ranges::find(kTransits, status) != std::end(kTransits);
    }
  }
  return false;
}

void AwaitSettled(Api& api, boost::asio::io_context& io, const SettlingQuestion& question,
                  std::function<void()> done) {
  std::make_shared<Watch>(api, io, question, std::move(done))->Look();
}

}  // namespace ec::gateway
