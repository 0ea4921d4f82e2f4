#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace dsv4::llm::serve {

// Some of a call: the pieces of one add up to it.
struct CallPiece {
  size_t call = 0;        // its number in the turn
  std::string name;       // of the tool; in the first piece only
  std::string arguments;  // goes on with the text of their JSON object
};

// Adds a piece to others; to the last of them where that is of the same call.
void add_piece(CallPiece piece, std::vector<CallPiece>& pieces);

// Tells the calls of a block while it is written: what parse_reply() reads once it is whole. Of a
// block that a CallGuide has kept well formed; of another it tells what comes before the mistake.
class CallPieces {
 public:
  // block: all of it so far. Adds what can be told now that could not before: an argument that is
  // text as it comes, any other once it is whole.
  void read(std::string_view block, std::vector<CallPiece>& out);

 private:
  // What comes next.
  enum class Part { kCall, kArgument, kText, kJson, kNothing };

  bool step(std::string_view rest, std::vector<CallPiece>& out);
  bool call(std::string_view rest, std::vector<CallPiece>& out);
  bool argument(std::string_view rest, std::vector<CallPiece>& out);
  bool text(std::string_view rest, std::vector<CallPiece>& out);
  bool json(std::string_view rest, std::vector<CallPiece>& out);
  void tell(std::string arguments, std::vector<CallPiece>& out) const;

  Part part_ = Part::kCall;
  size_t at_ = 0;  // bytes of the block that were read
  size_t calls_ = 0;
  bool first_ = true;  // argument of the call
};

}  // namespace dsv4::llm::serve
