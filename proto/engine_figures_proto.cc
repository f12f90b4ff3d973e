#include "proto/engine_figures_proto.h"

namespace ec {

void ToProto(const HostFigures& figures, v1::HostFigures* out) {
  out->set_question(figures.question);
  for (const auto& [id, all] : figures.members) {
    v1::MemberFigures* member = out->add_members();
    member->set_member(id);
    for (const EngineFigure& figure : all) {
      v1::EngineFigure* one = member->add_figures();
      one->set_name(figure.name);
      one->set_value(figure.value);
      one->set_rises(figure.rises);
    }
  }
}

HostFigures FromProto(const v1::HostFigures& in) {
  HostFigures figures;
  figures.question = in.question();
  for (const v1::MemberFigures& member : in.members()) {
    EngineFigures& all = figures.members[member.member()];
    for (const v1::EngineFigure& one : member.figures()) {
      all.push_back({one.name(), one.value(), one.rises()});
    }
  }
  return figures;
}

}  // namespace ec
