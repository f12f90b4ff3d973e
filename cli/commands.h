// Where each noun adds its commands to the tree.
#pragma once

#include "cli/command_line.h"

namespace ec::cli {

// The headings of `ecctl --help`.
inline constexpr char kMachineSection[] = "On this machine";
inline constexpr char kClusterSection[] = "Clusters and groups";
inline constexpr char kNetworkSection[] = "The network";
inline constexpr char kServiceSection[] = "The service";
inline constexpr char kProgramSection[] = "This program";

void AddUpCommand(CommandLine& line);              // up.cc
void AddDownCommand(CommandLine& line);            // down.cc
void AddStatusCommands(CommandLine& line);         // status.cc
void AddClusterCommands(CommandLine& line);        // clusters.cc
void AddGroupCommands(CommandLine& line);          // groups.cc
void AddUserCommands(CommandLine& line);           // users.cc
void AddUserGroupCommands(CommandLine& line);      // user_groups.cc
void AddSnapshotCommands(CommandLine& line);       // snapshots.cc
void AddVpcCommands(CommandLine& line);            // vpcs.cc
void AddSubnetCommands(CommandLine& line);         // subnets.cc
void AddSecurityGroupCommands(CommandLine& line);  // security_groups.cc
void AddAccessCommands(CommandLine& line);         // access.cc
void AddInstanceCommands(CommandLine& line);       // instances.cc
void AddSubnetGroupCommands(CommandLine& line);    // subnet_groups.cc
void AddConnectCommand(CommandLine& line);         // connect.cc
void AddForwardCommand(CommandLine& line);         // forward.cc
void AddTagCommands(CommandLine& line);            // tags.cc
void AddEventCommands(CommandLine& line);          // events.cc
void AddEndpointCommands(CommandLine& line);       // endpoints.cc
void AddFaultCommands(CommandLine& line);          // faults.cc
void AddHostCommands(CommandLine& line);           // hosts.cc
void AddNodeTypeCommands(CommandLine& line);       // node_types.cc
void AddEngineVersionCommands(CommandLine& line);  // engine_versions.cc
void AddClockCommands(CommandLine& line);          // clock.cc
void AddTlsCommands(CommandLine& line);            // tls.cc
void AddServiceCommands(CommandLine& line);        // service.cc
void AddRpcCommand(CommandLine& line);             // rpc.cc
void AddCompletionCommands(CommandLine& line);     // completion.cc

// Below `ecctl instance`.
void AddInstanceRunCommand(CommandLine& line, CLI::App* instance);  // instance_run.cc

// All of them, in the order in which help shows them.
void AddAllCommands(CommandLine& line);  // ecctl.cc

}  // namespace ec::cli
