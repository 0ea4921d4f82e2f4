#pragma once

#include <cstddef>
#include <filesystem>
#include <ostream>

namespace dsv4::tools::bench {

// A source tree made up from a fixed seed: so many C, Python and text files of about 5 KB, 20 to a
// directory, three levels deep, with ignore files. It goes away with its owner.
class GeneratedTree {
 public:
  explicit GeneratedTree(size_t files);
  GeneratedTree(const GeneratedTree&) = delete;
  GeneratedTree& operator=(const GeneratedTree&) = delete;
  ~GeneratedTree();

  std::filesystem::path root() const { return directory_ / "repo"; }
  std::filesystem::path state() const { return directory_ / "state"; }

 private:
  std::filesystem::path directory_;
};

// One row a pattern: milliseconds (medians, taken in turns) of the search tool and of rg with the
// same pattern, where it is installed, and their ratio. Throws when the two find different lines.
void search_rows(size_t files, std::ostream& out);

// One row a tool: milliseconds (median) of a call; for bash and test less those of the same command
// run in the same kind of box without a tool; and the processor time of this program in all of it.
void turn_rows(size_t files, std::ostream& out);

}  // namespace dsv4::tools::bench
