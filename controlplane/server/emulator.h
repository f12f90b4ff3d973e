// The calls that AWS's API lacks: hosts, endpoints, version, reset, and the live view of events.
#pragma once

#include <functional>

#include "common/status.h"
#include "common/time.h"
#include "controlplane/tls/authority.h"
#include "ec/v1/emulator.pb.h"

namespace ec::server {

class ControllerLoop;

Status DescribeHosts(ControllerLoop& loop, Instant now, const v1::DescribeHostsRequest& request,
                     v1::DescribeHostsResponse* response);
Status DescribeEndpoints(ControllerLoop& loop, const v1::DescribeEndpointsRequest& request,
                         v1::DescribeEndpointsResponse* response);
Status GetCertificateAuthority(tls::Authority& authority,
                               const v1::GetCertificateAuthorityRequest& request,
                               v1::GetCertificateAuthorityResponse* response);
Status GetVersion(ControllerLoop& loop, const v1::GetVersionRequest& request,
                  v1::GetVersionResponse* response);
Status Reset(ControllerLoop& loop, const v1::ResetRequest& request, v1::ResetResponse* response);

// Hands each event to `write` until that returns false, or `cancelled` true, or the loop stops.
Status WatchEvents(ControllerLoop& loop, const v1::WatchEventsRequest& request,
                   const std::function<bool(const v1::Event&)>& write,
                   const std::function<bool()>& cancelled);

}  // namespace ec::server
