// Snapshots' files, and the buckets beside them.
//
//   <snapshots>/17.rdb          the file of number 17: complete, durable, checked
//   <snapshots>/17.json         what is known of it; comes last
//   <snapshots>/17.<host>.part  an attempt to make it, of that host's agent
//   <buckets>/<bucket>/<key>    an object of a bucket: whoever may, put it there
//
// All hosts of the machine share the two directories. A file is made under a name of its maker's
// own, and gets its own name when it is complete: a crash leaves one or the other.
#pragma once

#include <functional>
#include <string>

#include "common/snapshot_work.h"
#include "common/status.h"
#include "common/unique_fd.h"

namespace ec::engine {

class SnapshotFiles {
 public:
  struct Places {
    std::string snapshots;  // created when it is needed
    std::string buckets;    // the same
    std::string host;       // whose attempts are this one's
    std::string checker;    // the redis-server whose checker is used
  };
  // Called now and then with how much is done, 0..100; false gives it up.
  using Progress = std::function<bool(int percent)>;

  explicit SnapshotFiles(Places places) : places_(std::move(places)) {}

  // Removes what an earlier agent of this host has left unfinished.
  void Sweep() const;

  // All of these can be done again, and answer the same. kUnavailable, with why, and nothing is
  // left of the attempt; a file that was there is as it was.

  // What lies at `data` becomes the file. Without copying it, where that is possible.
  Result<SnapshotFacts> TakeIn(SnapshotFile file, const std::string& data,
                               const Progress& progress) const;
  Result<SnapshotFacts> Copy(SnapshotFile file, SnapshotFile source, const std::string& sha256,
                             const Progress& progress) const;
  Result<SnapshotFacts> Import(SnapshotFile file, const std::string& bucket, const std::string& key,
                               const Progress& progress) const;
  Status Export(SnapshotFile file, const std::string& sha256, const std::string& bucket,
                const std::string& key, const Progress& progress) const;
  Status Drop(SnapshotFile file) const;
  // What is known of a file that is complete; nullopt when there is none.
  std::optional<SnapshotFacts> Find(SnapshotFile file) const;

  // Copies the seed to `target`, once it is sure that an engine may begin with it.
  Status PlaceSeed(const Seed& seed, const std::string& target) const;

 private:
  std::string PathOf(SnapshotFile file) const;
  std::string SidecarOf(SnapshotFile file) const;
  std::string PartOf(SnapshotFile file) const;
  Result<SnapshotFacts> Finish(SnapshotFile file, const SnapshotFacts* known,
                               const Progress& progress) const;
  Result<UniqueFd> OpenObject(const std::string& bucket, const std::string& key) const;
  Status MakeDirectory() const;

  const Places places_;
};

}  // namespace ec::engine
