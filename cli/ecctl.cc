#include "cli/ecctl.h"

#include <cstdio>
#include <utility>

#include "cli/commands.h"
#include "cli/completion.h"
#include "cli/context.h"
#include "cli/interrupt.h"

namespace ec::cli {
namespace {

// Called by the completion scripts. The words are half a command line and may be anything, so they
// are not parsed as ecctl's own.
void PrintCandidates(CommandLine& line, const std::vector<std::string>& words) {
  for (const Candidate& candidate : Complete(line, words)) {
    PrintLine(candidate.description.empty() ? candidate.word
                                            : candidate.word + "\t" + candidate.description);
  }
}

Outcome Run(const std::vector<std::string>& words) {
  CommandLine line;
  AddAllCommands(line);
  if (!words.empty() && words.front() == "__complete") {
    PrintCandidates(line, {words.begin() + 1, words.end()});
    return {};
  }
  Invocation invocation;
  EC_RETURN_UNLESS_OK(line.Parse(words, &invocation));
  if (invocation.action == nullptr) {
    std::fwrite(invocation.text.data(), 1, invocation.text.size(), stdout);
    return {};
  }
  Context context(line.global(), std::move(invocation.passed_on));
  return (*invocation.action)(context);
}

}  // namespace

void AddAllCommands(CommandLine& line) {
  AddUpCommand(line);
  AddDownCommand(line);
  AddStatusCommands(line);
  AddClusterCommands(line);
  AddGroupCommands(line);
  AddUserCommands(line);
  AddUserGroupCommands(line);
  AddConnectCommand(line);
  AddForwardCommand(line);
  AddEndpointCommands(line);
  AddEventCommands(line);
  AddFaultCommands(line);
  AddTagCommands(line);
  AddSnapshotCommands(line);
  AddVpcCommands(line);
  AddSubnetCommands(line);
  AddSecurityGroupCommands(line);
  AddInstanceCommands(line);
  AddAccessCommands(line);
  AddSubnetGroupCommands(line);
  AddHostCommands(line);
  AddNodeTypeCommands(line);
  AddEngineVersionCommands(line);
  AddTlsCommands(line);
  AddRpcCommand(line);
  AddClockCommands(line);
  AddServiceCommands(line);
  AddCompletionCommands(line);
}

ExitCode RunEcctl(const std::vector<std::string>& words) {
  InstallInterruptHandler();
  Outcome outcome = Run(words);
  // A full disk must not look like success.
  if ((std::fflush(stdout) != 0 || std::ferror(stdout) != 0) && outcome.ok()) {
    outcome = Refused("cannot write the output");
  }
  PrintError(outcome, AsksForJson(words));
  std::fflush(stderr);
  return outcome.exit;
}

}  // namespace ec::cli
