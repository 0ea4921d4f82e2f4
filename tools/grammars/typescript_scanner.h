// What the TypeScript grammars' scanners include as common/scanner.h and their package leaves
// out: the tokens that a table cannot tell, foremost the semicolons that nobody wrote.
#include <wctype.h>

#include "tree_sitter/parser.h"

enum TokenType {  // in the order of the grammars' external tokens
  AUTOMATIC_SEMICOLON,
  TEMPLATE_CHARS,
  TERNARY_QMARK,
  HTML_COMMENT,
  LOGICAL_OR,
  ESCAPE_SEQUENCE,
  REGEX_PATTERN,
  JSX_TEXT,
  SIGNATURE_SEMICOLON,  // behind a function that has no body
  ERROR_RECOVERY,
};

static void take(TSLexer *lexer) { lexer->advance(lexer, false); }
static void pass(TSLexer *lexer) { lexer->advance(lexer, true); }

static void pass_blanks(TSLexer *lexer) {
  while (iswspace(lexer->lookahead)) pass(lexer);
}

// Up to `${`, an escape or the end of the template.
static bool scan_template(TSLexer *lexer) {
  lexer->result_symbol = TEMPLATE_CHARS;
  for (bool some = false;; some = true) {
    lexer->mark_end(lexer);
    if (lexer->lookahead == '`' || lexer->lookahead == '\\') return some;
    if (lexer->lookahead == 0) return false;
    const bool dollar = lexer->lookahead == '$';
    take(lexer);
    if (dollar && lexer->lookahead == '{') return some;
  }
}

// Blank text between tags counts only when it is on one line.
static bool scan_jsx(TSLexer *lexer) {
  bool some = false;
  bool line_begins = false;
  lexer->result_symbol = JSX_TEXT;
  for (;;) {
    switch (lexer->lookahead) {
      case 0:
      case '<':
      case '>':
      case '{':
      case '}':
      case '&':
        return some;
      case '\n':
        line_begins = true;
        break;
      default:
        line_begins = line_begins && iswspace(lexer->lookahead);
        some = some || !line_begins;
    }
    take(lexer);
  }
}

// False at a slash that begins no comment.
static bool pass_comments(TSLexer *lexer, bool *any) {
  for (;;) {
    pass_blanks(lexer);
    if (lexer->lookahead != '/') return true;
    pass(lexer);
    if (lexer->lookahead == '/') {
      while (lexer->lookahead != 0 && lexer->lookahead != '\n') pass(lexer);
    } else if (lexer->lookahead == '*') {
      pass(lexer);
      for (bool star = false; lexer->lookahead != 0; pass(lexer)) {
        if (star && lexer->lookahead == '/') {
          pass(lexer);
          break;
        }
        star = lexer->lookahead == '*';
      }
    } else {
      return false;
    }
    *any = true;
  }
}

// Whether `in` or `instanceof` goes on with the expression: no semicolon then.
static bool word_goes_on(TSLexer *lexer) {
  pass(lexer);
  if (lexer->lookahead != 'n') return false;
  pass(lexer);
  if (!iswalpha(lexer->lookahead)) return true;
  for (const char *rest = "stanceof"; *rest; ++rest) {
    if (lexer->lookahead != *rest) return false;
    pass(lexer);
  }
  return !iswalpha(lexer->lookahead);
}

static bool scan_semicolon(TSLexer *lexer, const bool *valid, bool *comments) {
  lexer->result_symbol = valid[AUTOMATIC_SEMICOLON] ? AUTOMATIC_SEMICOLON : SIGNATURE_SEMICOLON;
  lexer->mark_end(lexer);
  while (lexer->lookahead != '\n') {
    if (lexer->lookahead == 0) return true;
    if (lexer->lookahead == '}') {  // of a block, or of a pattern with its type: ({a}: T) => ...
      pass(lexer);
      pass_blanks(lexer);
      return lexer->lookahead != ':' || valid[LOGICAL_OR];
    }
    if (!iswspace(lexer->lookahead)) return false;
    pass(lexer);
  }
  pass(lexer);
  if (!pass_comments(lexer, comments)) return false;
  const int32_t next = lexer->lookahead;
  switch (next) {
    case '`':
    case ',':
    case '.':
    case ';':
    case '*':
    case '%':
    case '>':
    case '<':
    case '=':
    case '?':
    case '^':
    case '|':
    case '&':
    case '/':
    case ':':
      return false;
    case '{':
      return !valid[SIGNATURE_SEMICOLON];
    case '(':
    case '[':
      return !valid[LOGICAL_OR];
    case '+':
    case '-':  // `--x` begins a statement, `- x` goes on
      pass(lexer);
      return lexer->lookahead == next;
    case '!':
      pass(lexer);
      return lexer->lookahead != '=';
    case 'i':
      return !word_goes_on(lexer);
    default:
      return true;
  }
}

// The ? of a condition: no ?., no ??, no x?: T.
static bool scan_question(TSLexer *lexer) {
  pass_blanks(lexer);
  if (lexer->lookahead != '?') return false;
  take(lexer);
  if (lexer->lookahead == '?' || lexer->lookahead == '.') return false;
  lexer->mark_end(lexer);
  lexer->result_symbol = TERNARY_QMARK;
  while (iswspace(lexer->lookahead)) take(lexer);
  if (lexer->lookahead == ':' || lexer->lookahead == ')' || lexer->lookahead == ',') return false;
  if (lexer->lookahead != '.') return true;
  take(lexer);
  return iswdigit(lexer->lookahead);
}

static bool scan_html(TSLexer *lexer) {
  pass_blanks(lexer);
  const char *mark = lexer->lookahead == '<' ? "<!--" : "-->";
  for (; *mark; ++mark) {
    if (lexer->lookahead != *mark) return false;
    take(lexer);
  }
  while (lexer->lookahead != 0 && lexer->lookahead != '\n') take(lexer);
  lexer->result_symbol = HTML_COMMENT;
  lexer->mark_end(lexer);
  return true;
}

static inline bool external_scanner_scan(void *payload, TSLexer *lexer, const bool *valid) {
  (void)payload;
  if (valid[TEMPLATE_CHARS]) return !valid[AUTOMATIC_SEMICOLON] && scan_template(lexer);
  if (valid[JSX_TEXT] && scan_jsx(lexer)) return true;
  if (valid[AUTOMATIC_SEMICOLON] || valid[SIGNATURE_SEMICOLON]) {
    bool comments = false;
    if (scan_semicolon(lexer, valid, &comments)) return true;
    return !comments && valid[TERNARY_QMARK] && lexer->lookahead == '?' && scan_question(lexer);
  }
  if (valid[TERNARY_QMARK]) return scan_question(lexer);
  const bool operand = valid[LOGICAL_OR] || valid[ESCAPE_SEQUENCE] || valid[REGEX_PATTERN];
  return valid[HTML_COMMENT] && !operand && scan_html(lexer);
}
