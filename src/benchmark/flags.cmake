# The peak loops are written for one instruction set each; the contract of the scalar one is that
# products and sums stay separate.
set(AS_PEAK_FLAGS -O3 -fno-trapping-math -ffp-contract=off)
foreach(row "scalar:" "neon:" "avx2:-mavx2;-mfma" "avx512:-mavx512f;-mavx2;-mfma"
        "avx512_bf16:-mavx512f;-mavx512bw;-mavx512vl;-mavx512bf16;-mavx2;-mfma")
    string(REPLACE ":" ";" row "${row}")
    list(POP_FRONT row isa)
    set_source_files_properties(${CMAKE_SOURCE_DIR}/src/benchmark/peak_${isa}.c PROPERTIES
        COMPILE_OPTIONS "${AS_PEAK_FLAGS};${row}")
endforeach()
