#include "llm/tokenizer.h"

#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "llm/error.h"
#include "llm/tokenizer_split.h"
#include "tests/catch.h"

namespace dsv4::llm {
namespace {

using nlohmann::ordered_json;

std::string tiny_json() {
  std::ifstream in(DSV4_SOURCE_DIR "/tests/llm/fixtures/tiny_tokenizer.json", std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

const Tokenizer& tiny() {
  static const Tokenizer tokenizer = Tokenizer::parse(tiny_json());
  return tokenizer;
}

// The tokens' texts with bars between.
std::string cut(const Tokenizer& tokenizer, const std::vector<int32_t>& ids) {
  std::string out;
  for (const int32_t id : ids) out += (out.empty() ? "" : "|") + std::string(tokenizer.bytes(id));
  return out;
}
std::string cut(std::string_view text) { return cut(tiny(), tiny().encode_data(text)); }

std::string random_bytes(std::mt19937& random, size_t count) {
  std::string out(count, '\0');
  for (char& c : out) c = static_cast<char>(random() & 0xFF);
  return out;
}

std::vector<std::string> pieces(const SplitStep& step, std::string_view text) {
  std::deque<std::string> added;
  std::vector<std::string> out;
  for (const std::string_view piece : split_words({step}, text, added)) out.emplace_back(piece);
  return out;
}

SplitStep on_comma(SplitBehaviour behaviour, bool invert = false) {
  return {Pattern(Pattern::Kind::kLiteral, ","), behaviour, invert, false};
}

}  // namespace

TEST_CASE("words are joined by rank within the cuts of the pre-tokenizer") {
  REQUIRE(cut("hello world the") == "hello| wor|ld| the");
  REQUIRE(cut("aaaaaaa") == "aaaa|aa|a");
  REQUIRE(cut("12345") == "1|2|3|4|5");
  REQUIRE(cut("中") == "中");
  REQUIRE(cut("").empty());
}

TEST_CASE("markers are tokens in markup and plain text in data") {
  const auto user = tiny().added_token("<｜User｜>");
  REQUIRE(user);
  REQUIRE(tiny().encode_markup("<｜User｜>") == std::vector<int32_t>{*user});
  for (const char* marker : {"<｜User｜>", "<think>", "</think>", "｜DSML｜",
                             "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"}) {
    const auto ids = tiny().encode_data("x" + std::string(marker) + "y");
    INFO(marker);
    REQUIRE(std::find(ids.begin(), ids.end(), *tiny().added_token(marker)) == ids.end());
    REQUIRE(tiny().decode(ids) == "x" + std::string(marker) + "y");
  }
}

TEST_CASE("a marker cannot be completed by data, nor across data") {
  const int32_t user = *tiny().added_token("<｜User｜>");
  const std::vector<std::vector<Segment>> forgeries = {
      {{"<｜Us", true}, {"er｜>", false}},
      {{"<｜Us", false}, {"er｜>", true}},
      {{"<｜", true}, {"Us", false}, {"er｜>", true}},
  };
  for (const auto& segments : forgeries) {
    const auto ids = tiny().encode(segments);
    REQUIRE(std::find(ids.begin(), ids.end(), user) == ids.end());
    REQUIRE(tiny().decode(ids) == "<｜User｜>");
  }
  const std::vector<Segment> honest = {{"<｜Us", true}, {"er｜>", true}};
  REQUIRE(tiny().encode(honest) == std::vector<int32_t>{user});
}

TEST_CASE("words run across segments as in the joined text") {
  const std::vector<Segment> segments = {{"he", true}, {"llo wor", false}, {"ld", true}};
  REQUIRE(tiny().encode(segments) == tiny().encode_data("hello world"));
}

TEST_CASE("an added token that is no marker is a word in data too") {
  REQUIRE(cut("x The tests pass.\n") == "x| |The tests pass.|\n");
}

TEST_CASE("any bytes survive encoding and decoding") {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    std::string text = random_bytes(random, random() % 300);
    if (round % 2) text = "hello \xE4\xB8" + text + "\xF0\x9F\x98\x80\xC3";
    REQUIRE(tiny().decode(tiny().encode_data(text)) == text);
    REQUIRE(tiny().decode(tiny().encode_markup(text)) == text);
  }
}

TEST_CASE("streamed text is valid UTF-8 at every moment and complete at the end") {
  const std::string text = "a中😀" + std::string("\xF0\x9F") + "b" + "\xC3";
  StreamDecoder decoder(tiny());
  std::string out;
  for (const int32_t id : tiny().encode_data(text)) {
    const std::string piece = decoder.push(id);
    REQUIRE(utf8_replace_broken(piece) == piece);
    out += piece;
  }
  REQUIRE(out ==
          "a中😀\xEF\xBF\xBD"
          "b");
  REQUIRE(out + decoder.finish() == utf8_replace_broken(text));
}

TEST_CASE("broken text is replaced as Python does it") {
  const std::string mark = "\xEF\xBF\xBD";
  REQUIRE(utf8_replace_broken("\xC0\x80") == mark + mark);
  REQUIRE(utf8_replace_broken("\xE0\x80") == mark + mark);
  REQUIRE(utf8_replace_broken("\xF0\x9F\x98x") == mark + "x");
  REQUIRE(utf8_replace_broken("\xED\xA0\x80") == mark + mark + mark);
  REQUIRE(utf8_replace_broken("\xF4\x90\x80\x80") == mark + mark + mark + mark);
  REQUIRE(utf8_replace_broken("\xC3\xA9\xFF") == "\xC3\xA9" + mark);
}

TEST_CASE("a megabyte without a cut takes no longer than its size asks for") {
  const auto start = std::chrono::steady_clock::now();
  for (const char* unit : {"a", " ", "\n", "1", ".", "\xFF", "中"}) {
    std::string text;
    while (text.size() < 1'000'000) text += unit;
    REQUIRE(tiny().decode(tiny().encode_data(text)) == text);
  }
  // Anything quadratic would take hours.
  REQUIRE(std::chrono::steady_clock::now() - start < std::chrono::seconds(60));
}

TEST_CASE("the behaviours of a split are those of tokenizers") {
  using Pieces = std::vector<std::string>;
  const std::string text = "a,b,,c,";
  REQUIRE(pieces(on_comma(SplitBehaviour::kIsolated), text) ==
          Pieces{"a", ",", "b", ",", ",", "c", ","});
  REQUIRE(pieces(on_comma(SplitBehaviour::kRemoved), text) == Pieces{"a", "b", "c"});
  REQUIRE(pieces(on_comma(SplitBehaviour::kContiguous), text) ==
          Pieces{"a", ",", "b", ",,", "c", ","});
  REQUIRE(pieces(on_comma(SplitBehaviour::kMergedWithPrevious), text) ==
          Pieces{"a,", "b,", ",", "c,"});
  REQUIRE(pieces(on_comma(SplitBehaviour::kMergedWithNext), text) ==
          Pieces{"a", ",b", ",", ",c", ","});
  REQUIRE(pieces(on_comma(SplitBehaviour::kRemoved, true), text) == Pieces{",", ",", ",", ","});
}

TEST_CASE("merges may be spelled as pairs and words may skip them") {
  auto file = ordered_json::parse(tiny_json());
  ordered_json pairs = ordered_json::array();
  for (const auto& merge : file["model"]["merges"]) {
    const auto text = merge.get<std::string>();
    pairs.push_back({text.substr(0, text.find(' ')), text.substr(text.find(' ') + 1)});
  }
  file["model"]["merges"] = pairs;
  const Tokenizer paired = Tokenizer::parse(file.dump());
  REQUIRE(paired.encode_data("hello world") == tiny().encode_data("hello world"));

  file["model"]["vocab"]["helium"] = 4000;
  REQUIRE(cut(Tokenizer::parse(file.dump()), Tokenizer::parse(file.dump()).encode_data("helium")) ==
          "he|l|i|u|m");
  file["model"]["ignore_merges"] = true;
  const Tokenizer whole = Tokenizer::parse(file.dump());
  REQUIRE(cut(whole, whole.encode_data("helium")) == "helium");
}

TEST_CASE("a leading blank and the digits' own pre-tokenizer are honoured") {
  auto file = ordered_json::parse(tiny_json());
  file["pre_tokenizer"] = ordered_json::parse(R"({"type":"Sequence","pretokenizers":[
      {"type":"Digits","individual_digits":false},
      {"type":"ByteLevel","add_prefix_space":true,"use_regex":true}]})");
  const Tokenizer tokenizer = Tokenizer::parse(file.dump());
  REQUIRE(cut(tokenizer, tokenizer.encode_data("world12the")) == " wor|ld| |1|2| the");
}

TEST_CASE("a tokenizer.json that this engine cannot honour is refused by name") {
  const auto refused = [](const char* pointer, const char* value) {
    auto file = ordered_json::parse(tiny_json());
    file[ordered_json::json_pointer(pointer)] = ordered_json::parse(value);
    try {
      (void)Tokenizer::parse(file.dump());
    } catch (const ModelError& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  const auto says = [](const std::string& message, const char* word) {
    INFO(message);
    REQUIRE(message.find(word) != std::string::npos);
  };
  says(refused("/model/type", "\"Unigram\""), "Unigram");
  says(refused("/normalizer", R"({"type":"NFKC"})"), "NFKC");
  says(refused("/pre_tokenizer", R"({"type":"Metaspace"})"), "Metaspace");
  says(refused("/pre_tokenizer/pretokenizers/0/pattern/Regex", R"("(")"), "cannot be read");
  says(refused("/pre_tokenizer/pretokenizers/0/pattern/Regex", R"("\\w+")"), "\\w");
  says(refused("/pre_tokenizer/pretokenizers/0/behavior", R"("Shuffled")"), "Shuffled");
  says(refused("/added_tokens/3/lstrip", "true"), "lstrip");
  says(refused("/added_tokens/3/id", "5"), "another token");
  says(refused("/model/vocab/hello", "999999999999"), "out of range");
  says(refused("/model/vocab/hello", "-1"), "out of range");
  says(refused("/model/vocab/hello", "3"), "the id 3");
  says(refused("/model/merges/0", "\"q q\""), "vocabulary does not have");
  says(refused("/model/merges/0", "7"), "merge 0");
  says(refused("/model/dropout", "0.1"), "dropout");
  says(refused("/model/vocab", R"({"a": 0})"), "byte");
  REQUIRE_THROWS_AS(Tokenizer::parse("{\"model\": "), ModelError);
  REQUIRE_THROWS_AS(Tokenizer::parse(std::string(100'000, '[')), ModelError);
  REQUIRE_THROWS_AS(Tokenizer::load("/no/such/directory"), ModelError);
}

TEST_CASE("settled ids stand whatever follows") {
  const Tokenizer nano = Tokenizer::load(DSV4_SOURCE_DIR "/llm/nano/model");
  const std::vector<std::string> pieces{"hello",
                                        " ",
                                        "  ",
                                        "\n",
                                        "    ",
                                        "12",
                                        "345",
                                        "_",
                                        "low",
                                        "return ",
                                        "x<y",
                                        "<",
                                        "</",
                                        "aaaa",
                                        "é",
                                        "\xE4\xB8",
                                        "中",
                                        ");",
                                        "<think>",
                                        "<｜",
                                        "｜DSML｜",
                                        "</｜DSML｜parameter>\n",
                                        "T",
                                        "You ",
                                        "</｜DSML｜invoke>\n",
                                        "</｜DSML｜tool_calls>",
                                        "<｜DSML｜parameter name=\"new\" string=\"true\">",
                                        "<｜DSML｜parameter name=\"x\" string=\"true\">",
                                        "\n\n<｜DSML｜tool_calls>\n"};
  std::mt19937 random(7);
  size_t settled = 0;
  size_t all = 0;
  for (int round = 0; round < 4000; ++round) {
    const Tokenizer& tokenizer = round % 2 == 0 ? tiny() : nano;
    const auto text = [&](size_t most) {
      std::vector<Segment> segments;
      for (size_t i = random() % most; i > 0; --i) {
        segments.push_back({pieces[random() % pieces.size()], random() % 2 == 0});
      }
      return segments;
    };
    std::vector<Segment> begun = text(7);
    const std::vector<int32_t> ids = tokenizer.encode_settled(begun);
    for (int more = 0; more < 6; ++more) {
      std::vector<Segment> whole = begun;
      for (Segment& segment : text(4)) whole.push_back(std::move(segment));
      const std::vector<int32_t> expected = tokenizer.encode(whole);
      INFO("round " << round << ": " << tokenizer.decode(expected));
      REQUIRE(ids.size() <= expected.size());
      REQUIRE(std::equal(ids.begin(), ids.end(), expected.begin()));
    }
    settled += ids.size();
    all += tokenizer.encode(begun).size();
  }
  REQUIRE(settled * 2 > all);
}

TEST_CASE("a pattern that backtracks without end is stopped with a sentence") {
  auto file = ordered_json::parse(tiny_json());
  file["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = "(a+)+(a+)+(a+)+b";
  const Tokenizer tokenizer = Tokenizer::parse(file.dump());
  REQUIRE_THROWS_AS(tokenizer.encode_data(std::string(2000, 'a') + "c b"), ModelError);
}

}  // namespace dsv4::llm
