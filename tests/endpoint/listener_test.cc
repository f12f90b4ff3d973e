#include "nodeagent/endpoint/listener.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

#include "tests/endpoint/support.h"

namespace ec::endpoint {
namespace {

using Outcome = Accepted::Outcome;

const Address kAddress{.ip = {0x7f0a0004}, .port = 80};

TEST(Listener, SaysInASentenceWhyItCannotListen) {
  EXPECT_EQ(TroubleWith(kAddress, EADDRINUSE).trouble, EndpointTrouble::kAddressInUse);
  EXPECT_EQ(TroubleWith(kAddress, EADDRINUSE).trouble_text, "the address 127.10.0.4:80 is in use");
  EXPECT_EQ(TroubleWith(kAddress, EADDRNOTAVAIL).trouble, EndpointTrouble::kAddressNotAvailable);
  EXPECT_EQ(TroubleWith(kAddress, EADDRNOTAVAIL).trouble_text,
            "this machine does not have the address 127.10.0.4:80");
  EXPECT_EQ(TroubleWith(kAddress, EACCES).trouble, EndpointTrouble::kOther);
  EXPECT_EQ(TroubleWith(kAddress, EACCES).trouble_text,
            "the agent may not listen on 127.10.0.4:80: ports below 1024 usually need a privilege");
  EXPECT_EQ(TroubleWith(kAddress, EMFILE).trouble, EndpointTrouble::kOther);
  EXPECT_EQ(TroubleWith(kAddress, EMFILE).trouble_text,
            "cannot listen on 127.10.0.4:80: Too many open files");
}

TEST(Listener, AcceptsWithThePeersAddressUntilNoneIsLeft) {
  const Address address = FreshAddress();
  const Listening listening = Listen(address);
  ASSERT_TRUE(listening.socket);
  EXPECT_EQ(Accept(listening.socket.get()).outcome, Outcome::kNoneLeft);
  Socket client = Connect(address);
  const Accepted accepted = Accept(listening.socket.get());
  EXPECT_EQ(accepted.outcome, Outcome::kAccepted);
  EXPECT_EQ(ToString(accepted.peer.ip), "127.0.0.1");
  EXPECT_NE(accepted.peer.port, 0);
  EXPECT_EQ(Accept(listening.socket.get()).outcome, Outcome::kNoneLeft);
}

TEST(Listener, AcceptsSocketsThatDoNotBlockAndSendAtOnce) {
  const Address address = FreshAddress();
  const Listening listening = Listen(address);
  Socket client = Connect(address);
  const Accepted accepted = Accept(listening.socket.get());
  ASSERT_EQ(accepted.outcome, Outcome::kAccepted);
  EXPECT_NE(fcntl(accepted.socket.get(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(fcntl(accepted.socket.get(), F_GETFD) & FD_CLOEXEC, 0);
  int no_delay = 0;
  socklen_t length = sizeof(no_delay);
  getsockopt(accepted.socket.get(), IPPROTO_TCP, TCP_NODELAY, &no_delay, &length);
  EXPECT_NE(no_delay, 0);
}

TEST(Listener, StopsListeningEvenIfACopyOfTheDescriptorIsLeft) {
  const Address address = FreshAddress();
  Listening listening = Listen(address);
  const UniqueFd copy(fcntl(listening.socket.get(), F_DUPFD_CLOEXEC, 0));
  CloseListener(std::move(listening));
  EXPECT_FALSE(Connect(address));
  EXPECT_TRUE(Listen(address).socket);
}

}  // namespace
}  // namespace ec::endpoint
