#include <cstdio>

#include "aios/device.h"
#include "cli/answers.h"
#include "cli/command.h"
#include "cli/output.h"

namespace aios {
namespace {

void list_devices(const Session& session) {
  Json rows = Json::array();
  std::string text;
  for (const Device& device : detect_devices()) {
    rows.push_back({{"name", device.name},
                    {"present", device.present},
                    {"can_compute", device.can_compute},
                    {"description", device.description},
                    {"reason", device.reason}});
    char start[64];
    std::snprintf(start, sizeof(start), "%-8s%-9s", device.name.c_str(),
                  device.can_compute ? "ready"
                  : device.present   ? "present"
                                     : "absent");
    const bool both = !device.description.empty() && !device.reason.empty();
    text += start + device.description + (both ? "; " : "") + device.reason + "\n";
  }
  write_output(session.json ? to_line(rows) : text);
}

}  // namespace

void add_devices_command(CLI::App& app, Session& session) {
  add_command(app, session, "devices", "what this machine can compute on", CommonFlags::kNone,
              [&session] { list_devices(session); });
}

}  // namespace aios
