// The YAML grammar's scanner includes this file, which its source package leaves out. It tells what a
// plain scalar is (null, a number, ...) as its characters come; here each of them is a text, which
// is all that an outline asks for.
typedef enum { RS_STR, RS_NULL, RS_BOOL, RS_INT, RS_FLOAT } ResultSchema;

static const int8_t SCH_STT_FRZ = -1;

static int8_t adv_sch_stt(int8_t state, int32_t character, ResultSchema *result) {
  (void)state;
  (void)character;
  *result = RS_STR;
  return SCH_STT_FRZ;
}
