#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace dsv4::tools {

// Whole outputs of commands of which the model saw head and tail. It reads them by the path in the
// cut's line, .dsv4/outputs/N.txt, which stands for a file in the state directory.
class Outputs {
 public:
  explicit Outputs(const std::filesystem::path& state_dir) : directory_(state_dir / "outputs") {}

  // Keeps the text (at most kKept bytes of it) and gives the path for the model.
  std::string keep(std::string_view text);

  // The same for a text that is still to come: it is written to the file, which lies at `file` and
  // is there already.
  struct Growing {
    std::string path;  // for the model
    std::filesystem::path file;
  };
  Growing begin();

  // The text, if the cleaned path is one that keep() or begin() gave.
  std::optional<std::string> find(const std::string& path) const;

  // So many have been kept.
  size_t count() const { return count_; }
  // Another object on the same directory has kept so many.
  void go_on_after(size_t count) { count_ = count; }

  static constexpr size_t kKept = 16 << 20;

 private:
  std::filesystem::path file(size_t number) const;
  void write(const std::filesystem::path& to, std::string_view text) const;

  std::filesystem::path directory_;
  size_t count_ = 0;
};

}  // namespace dsv4::tools
