#include "agent/terminal/screen.h"

#include <unistd.h>

#include <algorithm>

#include "agent/terminal/cells.h"
#include "agent/terminal/completion.h"
#include "agent/terminal/input_history.h"
#include "agent/terminal/picture.h"
#include "agent/terminal/slash.h"
#include "tests/agent/scratch.h"
#include "tests/catch.h"

using namespace dsv4::agent::terminal;

namespace {

std::vector<std::string> texts(const Lines& lines) {
  std::vector<std::string> out;
  for (const Line& line : lines) out.push_back(line.text());
  return out;
}

using Texts = std::vector<std::string>;

Scene scene_with(const std::string& message, size_t cursor) {
  Scene scene;
  scene.mode = Line("mode");
  scene.message = {message, cursor};
  return scene;
}

}  // namespace

TEST_CASE("the message is folded and the cursor is where the next character goes") {
  const Utf8Thread utf8;
  Screen::Picture picture = picture_of(scene_with("abcdef", 6), {24, 8});
  REQUIRE(texts(picture.rows) == Texts{"mode", "> abcde", "  f"});
  REQUIRE(picture.cursor_row == 2);
  REQUIRE(picture.cursor_column == 3);
  picture = picture_of(scene_with("ab\n\xe6\x97\xa5x", 6), {24, 80});
  REQUIRE(texts(picture.rows) == Texts{"mode", "> ab", "  \xe6\x97\xa5x"});
  REQUIRE(picture.cursor_row == 2);
  REQUIRE(picture.cursor_column == 4);
  picture = picture_of(scene_with("", 0), {24, 80});
  REQUIRE(picture.cursor_column == 2);
}

TEST_CASE("whatever there is to show, the picture fits and the cursor is in it") {
  const Utf8Thread utf8;
  Scene scene = scene_with("", 0);
  for (int i = 0; i < 40; ++i) {
    scene.begun.emplace_back("text " + std::to_string(i));
    scene.queued.push_back("queued " + std::to_string(i));
    scene.message.bytes += "line " + std::to_string(i) + "\n";
  }
  scene.activity = Line("working");
  scene.hints = {Line("hint"), Line("another")};
  for (size_t rows = 1; rows < 40; ++rows) {
    for (const size_t cursor :
         {size_t{0}, scene.message.bytes.size() / 2, scene.message.bytes.size()}) {
      INFO(rows << " rows, cursor " << cursor);
      scene.message.cursor = cursor;
      const Screen::Picture picture = picture_of(scene, {rows, 20});
      REQUIRE(picture.rows.size() <= std::max<size_t>(rows, 2));
      REQUIRE(picture.cursor_row < picture.rows.size());
      const Texts shown = texts(picture.rows);
      REQUIRE(std::find(shown.begin(), shown.end(), "mode") != shown.end());
      if (cursor == 0) REQUIRE(shown[picture.cursor_row] == "> line 0");
    }
  }
  scene.question = "May it? y";
  const Screen::Picture picture = picture_of(scene, {24, 80});
  REQUIRE(picture.rows.back().text() == "May it? y");
}

TEST_CASE("what stays is written once, above the picture that is drawn anew") {
  const Utf8Thread utf8;
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const auto written = [&] {
    char bytes[4096];
    const ssize_t count = ::read(ends[0], bytes, sizeof bytes);
    return std::string(bytes, count > 0 ? static_cast<size_t>(count) : 0);
  };
  Screen screen(ends[1], {24, 80}, false);
  screen.add({Line("stays")});
  screen.draw({{Line("one"), Line("two")}, 0, 1});
  std::string out = written();
  REQUIRE(out.find("stays\r\n\x1b[2Kone\r\n\x1b[2Ktwo\x1b[1A\r\x1b[1C") != std::string::npos);
  screen.draw({{Line("three")}, 0, 0});
  out = written();
  REQUIRE(out.find("stays") == std::string::npos);
  // The row that is no longer used is cleared, too.
  REQUIRE(out.find("\r\x1b[2Kthree\r\n\x1b[2K\x1b[1A\r") != std::string::npos);
  screen.resize({30, 80});  // nothing above the picture is touched by that
  screen.draw({{Line("three")}, 0, 0});
  REQUIRE(written().find("stays") == std::string::npos);
  screen.resize({10, 3});
  screen.draw({{Line("four")}, 0, 0});
  out = written();
  REQUIRE(out.find("\x1b[2Ksta\r\n\x1b[2Kys\r\n\x1b[2Kf") != std::string::npos);
  screen.add({Line("end")});
  screen.leave();
  REQUIRE(written().starts_with("\r\x1b[2Kend\r\n"));
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("Tab completes paths part by part, file names anywhere, and commands") {
  const std::vector<std::string> paths = {"a.py", "src/b.cc", "src/c.cc", "src/deep/d.cc"};
  const auto offered = [&](const std::string& text) {
    return complete_input(text, text.size(), paths).candidates;
  };
  REQUIRE(offered("look at @s") == Texts{"@src/"});
  REQUIRE(offered("@src/") == Texts{"@src/b.cc", "@src/c.cc", "@src/deep/"});
  REQUIRE(offered("@d.c") == Texts{"@src/deep/d.cc"});
  REQUIRE(offered("@nothing").empty());
  REQUIRE(offered("/re") == Texts{"/rewind", "/resume"});
  REQUIRE(offered("say /re").empty());
  REQUIRE(complete_input("see @a and", 6, paths).from == 4);
  REQUIRE(offered("/approve a") == Texts{"ask", "auto"});
}

TEST_CASE("what could be typed is shown while somebody types, a few lines at most") {
  std::vector<std::string> paths = {"a.py", "src/b.cc", "src/c.cc"};
  const auto shown = [&](const std::string& text) {
    return texts(suggestions(text, text.size(), paths));
  };
  REQUIRE(shown("see @s") == Texts{"@src/"});
  REQUIRE(shown("see @src/") == Texts{"@src/b.cc", "@src/c.cc"});
  REQUIRE(shown("see @a.py").empty());
  REQUIRE(shown("see").empty());
  REQUIRE(shown("/und") == Texts{"/undo  take back the last change of a file"});
  REQUIRE(shown("/undo") == shown("/und"));
  REQUIRE(shown("/fork na").at(0).starts_with("/fork [NAME]  "));
  REQUIRE(shown("/usr/bin").empty());
  REQUIRE(shown("/").size() == 7);
  REQUIRE(shown("/").back() == "... " + std::to_string(slash_commands().size() - 6) + " more");
  for (int i = 0; i < 1000; ++i) paths.push_back("many/" + std::to_string(i));
  REQUIRE(shown("@many/").size() == 7);
}

TEST_CASE("the list of commands fits a terminal of 24 rows") {
  const Utf8Thread utf8;
  size_t rows = 0;
  Desk desk;
  desk.show = [&](Lines lines) {
    for (const Line& line : lines) rows += rows_of(line, 80).size();
  };
  parse_slash("/help")->command->look(desk, "");
  REQUIRE(rows <= 21);  // with a message above, the mode line and the next message
}

TEST_CASE("what was sent is remembered line by line, whatever it holds") {
  const Scratch scratch;
  const InputHistory history(scratch / "deep/history");
  REQUIRE(history.load().empty());
  history.add("one\ntwo \"x\" \xff");
  history.add("three");
  REQUIRE(history.load() == Texts{"one\ntwo \"x\" \xef\xbf\xbd", "three"});
  for (size_t i = 0; i < 2 * InputHistory::kMost; ++i) history.add(std::to_string(i));
  REQUIRE(history.load().size() == InputHistory::kMost);
  const std::string file = scratch.read("deep/history");
  REQUIRE(static_cast<size_t>(std::count(file.begin(), file.end(), '\n')) == InputHistory::kMost);
  REQUIRE(history.load().back() == std::to_string(2 * InputHistory::kMost - 1));
}
