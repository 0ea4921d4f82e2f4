// dsv4-record: replays generated tasks through the real loop, tools and prompt, with the teacher's
// plan in place of a model, and writes what the model is trained on.
#include <git2.h>
#include <stdlib.h>

#include <boost/program_options.hpp>
#include <fstream>
#include <iostream>
#include <stdexcept>

#include "agent/working_copy.h"
#include "tasks/record.h"

namespace {

namespace po = boost::program_options;
namespace fs = std::filesystem;

struct Arguments {
  std::string tasks;
  std::string out;
  bool sandboxed = true;
  bool help = false;
};

po::options_description described(Arguments* arguments) {
  po::options_description options("dsv4-record TASKS.jsonl --out EPISODES.jsonl");
  options.add_options()("tasks", po::value(&arguments->tasks)->required(),
                        "tasks with plans, from python3 -m llm.nano.tasks make")(
      "out", po::value(&arguments->out)->required(), "transcripts, one JSON object a line")(
      "no-sandbox", "run the tasks' tests unprotected: only for tasks made on this machine")("help",
                                                                                             "");
  return options;
}

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  const po::options_description options = described(&arguments);
  po::positional_options_description positional;
  positional.add("tasks", 1);
  po::variables_map map;
  po::store(po::command_line_parser(argc, argv).options(options).positional(positional).run(), map);
  arguments.help = map.count("help") != 0;
  if (!arguments.help) po::notify(map);
  arguments.sandboxed = map.count("no-sandbox") == 0;
  return arguments;
}

// A name of our own: the directory is made anew by its owner.
fs::path make_scratch() {
  std::string name = (fs::temp_directory_path() / "dsv4-record-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw std::runtime_error("cannot make a directory in " + fs::temp_directory_path().string());
  }
  return name;
}

// Tasks are written inside a git work tree, so that `fix` takes them for repositories.
void start_git(const fs::path& folder) {
  git_libgit2_init();
  git_repository* repository = nullptr;
  const int failed = git_repository_init(&repository, folder.c_str(), 0);
  git_repository_free(repository);
  git_libgit2_shutdown();
  if (failed != 0) throw std::runtime_error("cannot make a git repository in " + folder.string());
}

int run(const Arguments& arguments) {
  std::ifstream in(arguments.tasks);
  if (!in) throw std::runtime_error("cannot read " + arguments.tasks);
  std::ofstream out(arguments.out);
  if (!out) throw std::runtime_error("cannot write " + arguments.out);
  const dsv4::agent::OwnedDirectory scratch(make_scratch());
  start_git(scratch.path());
  const dsv4::tasks::RecordOptions options{.scratch = scratch.path(),
                                           .sandboxed = arguments.sandboxed};
  size_t recorded = 0;
  size_t refused = 0;
  std::string line;
  while (std::getline(in, line)) {
    const dsv4::tasks::PlannedTask task = dsv4::tasks::parse_task(line);
    std::string why;
    const auto episode = dsv4::tasks::record(task, options, &why);
    if (episode) {
      out << episode->dump() << '\n' << std::flush;
      ++recorded;
    } else {
      std::cerr << task.json.value("id", "?") << ": " << why << '\n';
      ++refused;
    }
  }
  std::cerr << recorded << " recorded, " << refused << " refused\n";
  return out ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Arguments arguments = parse(argc, argv);
    if (arguments.help) {
      std::cout << described(&arguments);
      return 0;
    }
    return run(arguments);
  } catch (const std::exception& error) {
    std::cerr << "dsv4-record: " << error.what() << '\n';
    return 2;
  }
}
