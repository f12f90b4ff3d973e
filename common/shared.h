// A value that is handed around without being copied.
#pragma once

#include <memory>
#include <utility>

namespace ec {

// Equal when what it holds is.
template <typename Value>
class Shared {
 public:
  Shared() = default;  // none
  explicit Shared(Value value) : value_(std::make_shared<const Value>(std::move(value))) {}
  explicit operator bool() const { return value_ != nullptr; }
  const Value& operator*() const { return *value_; }
  const Value* operator->() const { return value_.get(); }
  friend bool operator==(const Shared& one, const Shared& other) {
    if (one.value_ == other.value_) return true;
    return one.value_ && other.value_ && *one.value_ == *other.value_;
  }

 private:
  std::shared_ptr<const Value> value_;
};

}  // namespace ec
