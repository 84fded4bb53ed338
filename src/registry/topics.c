/* Topics of `attnscope help TOPIC` that are no command. */
#include "registry/help.h"

const HelpTopic help_topics[] = {
    {"text", "how a text is given and what part of it is taken",
     "A text comes from --text, from a file with --file (- is standard input), or as\n"
     "token ids with --ids 1,2,3. Without any of them it is the built-in example.\n"
     "\n"
     "  --range A:B      only the tokens from A up to but not including B\n"
     "  --max-tokens N   at most the first N tokens\n"
     "  --no-special     without [CLS], <s> and their like\n"
     "  --text-pair T    a second text, for models that compare two\n"
     "\n"
     "What is left out is said on standard error. Bytes that are not UTF-8 are replaced\n"
     "by U+FFFD, and that is said too. Tokens, layers and heads count from 0.\n"},
    {"what", "what dump writes, and the form of its files",
     "weights   softmax of the scores; rows sum to 1          [rows, cols]\n"
     "scores    after scale, cap and bias; masked ones -inf   [rows, cols]\n"
     "q, k, v   after rotary positions, Hugging Face order    [rows, D]\n"
     "lse       log-sum-exp of each row of scores             [rows]\n"
     "output    of each head, before W_O                      [rows, D]\n"
     "hidden    residual stream; --layer picks a state, 0 is the embeddings, the\n"
     "          last one is after the final norm              [rows, C]\n"
     "logits    what the model predicts at each token         [rows, V]\n"
     "          with --layer K, what it would after K layers\n"
     "\n"
     "--layer all and --head all put an axis in front: [L, H, rows, cols]; a single\n"
     "layer or head has none. Not naming one is the same as all. --rows and --cols cut the\n"
     "last two axes (of lse and of vectors: --rows the tokens, --cols the dimensions).\n"
     "\n"
     "  .npy    float32, C order\n"
     "  .json   nested lists; masked scores are null\n"
     "  .csv    one line a row; with several layers or heads the blocks follow each\n"
     "          other, each after a line such as \"# layer 0 head 3\"\n"
     "\n"
     "Files are written whole or not at all. -o - writes JSON to standard output.\n"},
    {"import", "attention of other programs",
     "--trace takes, beside records of `attnscope trace`, arrays in a .npy, .npz or\n"
     "safetensors file (F32, F16, BF16, F64; a batch axis of 1 is left out):\n"
     "\n"
     "  weights    [L, H, N, M], or one layer [H, N, M], or one head [N, M];\n"
     "             attentions and attn are other names; a .npy has no name\n"
     "  q, k, v    queries [L, H, N, D], keys and values [L, G, M, D] (v may be missing);\n"
     "             linear in the length, so for any length\n"
     "\n"
     "or an array for each layer: weights.0, q.0, k.0 … A JSON file of the same name beside\n"
     "it, or the metadata \"attnscope\" of safetensors, may say {\"tokens\": [\"a\", …],\n"
     "\"keys\": […], \"model\": \"name\", \"causal\": true, \"window\": 0, \"scale\": 0.125,\n"
     "\"soft_cap\": 0}. Weights that do not add up to 1 are divided by their sum, and info\n"
     "says so. scripts/dump_attention.py (share/attnscope/ of an installed program) writes\n"
     "such a file from any PyTorch model that uses scaled_dot_product_attention.\n"},
    {"run", "temperature, mask, ablation, memory",
     "--temperature, --mask and --ablate change what is recorded in each layer on its\n"
     "own; with --propagate the layers above see the change too.\n"
     "\n"
     "What a run needs is known before it starts. --memory is what may be held: past it\n"
     "the record goes to a file that vanishes at the end, in $TMPDIR (or /var/tmp), or of\n"
     "`trace` beside what it writes; that is said. A run that fits neither is refused with\n"
     "the estimate. --store qk or qkv and --dtype f16 need less.\n"},
    {"exit", "exit codes",
     "0 done\n"
     "1 failed; one line on standard error says what, where and what to do\n"
     "2 wrong usage\n"},
};
const size_t n_help_topics = AS_COUNT(help_topics);
