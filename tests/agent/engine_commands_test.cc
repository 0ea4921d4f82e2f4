#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <sstream>

#include "llm/safetensors.h"
#include "tests/agent/program.h"
#include "tests/catch.h"

// `logits`, `generate`, `tokenize` and `render` as somebody calls them who compares this engine
// with another one.

namespace {

namespace fs = std::filesystem;

const std::string kFixtures = DSV4_SOURCE_DIR "/tests/llm/fixtures/";
const std::string kModel = kFixtures + "all_kinds";  // its logits come from `transformers`
constexpr size_t kVocabulary = 40;

struct Matrix {
  size_t rows = 0;
  size_t columns = 0;
  std::vector<float> values;

  const float* row(size_t i) const { return values.data() + i * columns; }
  int best(size_t i) const {
    return static_cast<int>(std::max_element(row(i), row(i) + columns) - row(i));
  }
};

// Reads version 1.0 of .npy: magic, version, length of the description, description, numbers.
Matrix read_npy(const std::string& bytes) {
  Matrix out;
  REQUIRE(bytes.substr(0, 8) == std::string("\x93NUMPY\x01\0", 8));
  const size_t length =
      static_cast<unsigned char>(bytes.at(8)) + 256U * static_cast<unsigned char>(bytes.at(9));
  const std::string head = bytes.substr(10, length);
  REQUIRE(head.find("'<f4'") != std::string::npos);
  REQUIRE(head.find("'fortran_order': False") != std::string::npos);
  std::istringstream shape(head.substr(head.find("'shape': (") + 10));
  char comma = 0;
  REQUIRE(shape >> out.rows >> comma >> out.columns);
  out.values.resize(out.rows * out.columns);
  REQUIRE(bytes.size() == 10 + length + out.values.size() * sizeof(float));
  std::memcpy(out.values.data(), bytes.data() + 10 + length, out.values.size() * sizeof(float));
  return out;
}

class Commands {
 public:
  Ended run(const std::string& arguments) const {
    return run_agent(scratch, scratch.path(), arguments);
  }

  // The bytes of the .npy for these ids.
  std::string logits(const std::string& options) const {
    const Ended ended = run("logits --model " + kModel + " --out $S/x.npy " + options);
    INFO(ended.err);
    REQUIRE(ended.status == 0);
    REQUIRE(ended.out.empty());
    return scratch.read("x.npy");
  }

  std::string generate(const std::string& options) const {
    const Ended ended = run("generate --model " + kModel + " " + options);
    INFO(ended.err);
    REQUIRE(ended.status == 0);
    return ended.out;
  }

  Scratch scratch;
};

}  // namespace

TEST_CASE("logits writes what another implementation computes, whatever the chunk") {
  const Commands commands;
  const std::string whole = commands.logits("--ids " + kModel + "/ids.txt");
  const Matrix got = read_npy(whole);
  REQUIRE(got.rows == 513);
  REQUIRE(got.columns == kVocabulary);

  const dsv4::llm::MappedFile file(kModel + "/logits.safetensors");
  const auto header = dsv4::llm::parse_header(file.bytes(), file.bytes().size());
  const auto& positions = header.tensors.at("positions");
  const auto& logits = header.tensors.at("logits");
  double largest = 0.0;
  double worst = 0.0;
  for (size_t i = 0; i < static_cast<size_t>(positions.shape[0]); ++i) {
    int64_t position = 0;
    std::memcpy(&position, file.bytes().data() + positions.begin + i * 8, 8);
    for (size_t v = 0; v < kVocabulary; ++v) {
      float expected = 0.0F;
      std::memcpy(&expected, file.bytes().data() + logits.begin + (i * kVocabulary + v) * 4, 4);
      largest = std::max(largest, std::fabs(double{expected}));
      worst = std::max(
          worst, std::fabs(double{got.row(static_cast<size_t>(position))[v]} - double{expected}));
    }
  }
  REQUIRE(worst <= 1e-4 * largest);

  REQUIRE(commands.logits("--chunk 7 --ids - < " + kModel + "/ids.txt") == whole);
  REQUIRE(commands.logits("--chunk 1 --threads 3 --ids " + kModel + "/ids.txt") == whole);
}

TEST_CASE("generate continues with the best ids, or draws the same ones for the same seed") {
  const Commands commands;
  const std::string prompt = "3 1 4 1 5 9 2 6";
  commands.scratch.write("ids", prompt);
  const std::string text = commands.generate("--ids $S/ids --n 6 --greedy");
  std::istringstream words(text);
  std::vector<int> ids;
  for (int id = 0; words >> id;) ids.push_back(id);
  REQUIRE(ids.size() == 6);
  commands.scratch.write("all", prompt + " " + text);
  const Matrix logits = read_npy(commands.logits("--ids $S/all"));
  for (size_t i = 0; i < ids.size(); ++i) REQUIRE(ids[i] == logits.best(7 + i));

  REQUIRE(commands.generate("--ids $S/ids --n 0").size() == 1);
  const std::string drawn = commands.generate("--ids $S/ids --n 12 --seed 5");
  REQUIRE(commands.generate("--ids $S/ids --n 12 --seed 5 --chunk 3") == drawn);
  REQUIRE(commands.generate("--ids $S/ids --n 12 --seed 6") != drawn);
}

TEST_CASE("a link is followed and a pipe is written to; neither is replaced by the .npy file") {
  const Commands commands;
  commands.scratch.write("ids", "1 2 3");
  const std::string expected = commands.logits("--ids $S/ids");
  const std::string model = "logits --model " + kModel + " --ids $S/ids --out ";

  commands.scratch.write("real.npy", "old");
  fs::create_symlink("real.npy", commands.scratch / "link.npy");
  REQUIRE(commands.run(model + "$S/link.npy").status == 0);
  REQUIRE(fs::is_symlink(commands.scratch / "link.npy"));
  REQUIRE(commands.scratch.read("real.npy") == expected);

  REQUIRE(::mkfifo((commands.scratch / "pipe").c_str(), 0600) == 0);
  // Both ends open: what is written waits in the pipe, and nobody waits for the other.
  const int fd = ::open((commands.scratch / "pipe").c_str(), O_RDWR | O_NONBLOCK);
  REQUIRE(commands.run(model + "$S/pipe").status == 0);
  REQUIRE(fs::is_fifo(commands.scratch / "pipe"));
  std::string written(expected.size() + 1, '\0');
  const ssize_t bytes = ::read(fd, written.data(), written.size());
  ::close(fd);
  REQUIRE(bytes == static_cast<ssize_t>(expected.size()));
  REQUIRE(written.substr(0, expected.size()) == expected);
}

TEST_CASE("a result that cannot be written whole is a failure") {
  const Commands commands;
  commands.scratch.write("ids", "1 2 3");
  commands.scratch.write("messages", R"([{"role": "user", "content": "x"}])");
  const std::vector<std::string> cases = {"generate --greedy --n 3 --ids $S/ids --model " + kModel,
                                          "render --messages $S/messages", "--help"};
  for (const std::string& command : cases) {
    for (const char* out : {" >/dev/full", " >&-"}) {
      INFO(command << out);
      const Ended ended = commands.run(command + out);
      REQUIRE(ended.status == 2);
      REQUIRE(ended.err.find("standard output") != std::string::npos);
    }
  }
}

TEST_CASE("what the commands cannot use is named, with the right exit code") {
  const Commands commands;
  commands.scratch.write("ids", "1 2 3");
  commands.scratch.write("word", "1 two 3");
  commands.scratch.write("outside", "1 40");
  commands.scratch.write("none", "");
  fs::create_directories(commands.scratch / "empty model");
  const std::string engine = " --model " + kModel + " --ids ";
  const std::string logits = "logits --out $S/x.npy" + engine;
  const std::vector<std::tuple<std::string, int, std::string>> cases = {
      {"logits", 2, "--model is missing"},
      {"logits --model $S --ids $S/ids", 2, "--out is missing"},
      {logits + "$S/absent", 2, "absent: cannot be read"},
      {logits + "$S", 2, "is a directory"},
      {logits + "$S/word", 2, "'two' is not a token id"},
      {logits + "$S/outside", 2, "the id 40 is outside the model's vocabulary of 40"},
      {logits + "- <&-", 2, "standard input cannot be read"},
      {logits + "$S/ids --chunk 0", 2, "--chunk must be from 1"},
      {logits + "$S/ids --precision f16", 2, "'f16' is not one of"},
      {logits + "$S/ids --device tpu", 3, "there is no device 'tpu': say cpu, cuda"},
      {"logits --ids $S/ids --out $S/no/x.npy --model " + kModel, 2, "cannot be written here"},
      {"logits --ids $S/ids --out $S --model " + kModel, 2, "is a directory"},
      {"logits --ids $S/ids --out $S/x.npy --model $S/absent", 3, "no such model directory"},
      {"logits --ids $S/ids --out $S/x.npy --model \"$S/empty model\"", 3, "config.json"},
      {"generate --n 1" + engine + "$S/none", 2, "give at least one id"},
      {"generate" + engine + "$S/ids", 2, "--n is missing"},
      {"generate --n 1 --top-p 0" + engine + "$S/ids", 2, "top-p"},
      {"generate --n 1 --greedy --seed 1" + engine + "$S/ids", 2, "leave out --seed"},
      {"tokenize", 2, "--model DIR"},
      {"tokenize --model $S < $S/ids", 3, "tokenizer.json"},
      {"tokenize --model " DSV4_SOURCE_DIR "/llm/nano/model < $S", 2, "cannot be read"},
      {"render --messages $S/absent", 2, "cannot be read"},
      {"render --messages - <&-", 2, "standard input cannot be read"},
      {"doctor --model", 2, "--model needs a directory"},
  };
  for (const auto& [arguments, status, sentence] : cases) {
    INFO(arguments);
    const Ended ended = commands.run(arguments);
    INFO(ended.err);
    REQUIRE(ended.status == status);
    REQUIRE(ended.err.find(sentence) != std::string::npos);
    REQUIRE(ended.out.empty());
  }
  REQUIRE_FALSE(fs::exists(commands.scratch / "x.npy"));
}
