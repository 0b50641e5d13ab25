#include "project/stage_options.h"

#include "project/fuse_settings.h"

namespace rhodes {

ResolveOptions EntityOptionsOf(const ProjectFile& project) {
  ResolveOptions options;
  options.out = project.out;
  options.kinds = project.entities;
  return options;
}

FuseOptions FuseOptionsOf(const ProjectFile& project) {
  FuseOptions options;
  options.out = project.out;
  options.views = project.views;
  options.templates = project.templates;
  options.settings = FuseSettingsOf(project.views, project.templates);
  return options;
}

CurateOptions CurateOptionsOf(const ProjectFile& project, const std::string& directory) {
  CurateOptions options;
  options.inputs = {project.out + "/documents"};
  options.kept = directory + "/corpus";
  options.dropped = directory + "/dropped";
  options.clusters = directory + "/clusters";
  options.settings = project.curate;
  return options;
}

AskOptions AskOptionsOf(const ProjectFile& project) {
  AskOptions options;
  options.out = project.out;
  options.settings = project.ask;
  options.seed = project.seed;
  return options;
}

}  // namespace rhodes
