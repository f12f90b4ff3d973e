// One of the two sockets of a connection: what may be done with it now, and the bytes that it has
// yet to get. Used by one thread.
//
// The socket is watched edge-triggered: epoll tells of a change once, and what it told is true
// until a system call says otherwise. EPOLLOUT is asked for only while there are pending bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "common/unique_fd.h"

namespace ec::endpoint {

class Connection;

// Closes a client's socket so that the client sees a reset.
void Reset(UniqueFd client);

class Stream {
 public:
  explicit Stream(Connection* connection) : connection_(connection) {}
  ~Stream() { Close(); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Begins with a connected, non-blocking socket. The events that `epoll` reports for it carry the
  // address of this Stream. False if it cannot be watched.
  bool Open(UniqueFd socket, int epoll);
  // With `reset`, the peer sees one.
  void Close(bool reset = false);
  bool is_open() const { return static_cast<bool>(socket_); }
  int fd() const { return socket_.get(); }
  Connection* connection() const { return connection_; }

  // Takes note of what epoll has reported.
  void Note(uint32_t events);

  // --- from the socket ---

  // Receive() may give something.
  bool can_receive() const { return readable_ && !ended_; }
  // Up to as many bytes as `buffer` holds; empty if there are none now, or no more at all.
  std::string_view Receive(std::span<char> buffer);
  // The peer's bytes have all been received, or the connection has failed.
  bool ended() const { return ended_; }
  // Whether the peer has reset the connection, or has sent its end and no byte before it is left to
  // be received. A look at the socket that takes nothing off it.
  bool PeerIsGone() const;

  // --- to the socket ---

  // Sends what the socket takes at once; the rest is pending. Bytes may be sent before Open().
  void Send(std::string_view bytes);
  // Sends with the next Flush(), which must be soon: nobody asks epoll for it. Much is sent at
  // once.
  void SendSoon(std::string_view bytes);
  // Tries again to send what is pending.
  void Flush();
  bool has_pending() const { return !pending_.empty(); }
  // Sends our end, once. REQUIRES: !has_pending()
  void SendEnd();

  // --- the end of it ---

  // The peer has closed its socket: it sends nothing and takes nothing any more. There may be bytes
  // that it sent before.
  bool peer_closed() const { return peer_closed_; }
  // The peer has not taken all that it was sent, or has reset the connection and all that it sent
  // before has been received.
  bool failed() const { return failed_; }

 private:
  // Sends from `bytes`; returns how many were taken.
  size_t SendNow(std::string_view bytes);
  void WatchWriting(bool wanted);

  Connection* const connection_;
  UniqueFd socket_;
  int epoll_ = -1;
  bool readable_ = false;
  bool writable_ = false;
  bool end_announced_ = false;    // the end is behind the bytes that can be received now
  bool reset_announced_ = false;  // and the end is a reset
  bool ended_ = false;
  bool end_sent_ = false;
  bool peer_closed_ = false;
  bool failed_ = false;
  bool watches_writing_ = false;
  // Empty and without memory for nearly all connections at nearly all times.
  std::string pending_;
  size_t pending_sent_ = 0;  // of pending_, from its front
};

}  // namespace ec::endpoint
