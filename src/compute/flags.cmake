# Flags of single files. Activations are loops of a few operations that vectorise only where nobody
# reads errno or floating point exceptions. Never -ffast-math.
set_source_files_properties(${CMAKE_SOURCE_DIR}/src/compute/activation.c PROPERTIES
    COMPILE_OPTIONS "-fno-math-errno;-fno-trapping-math")
# Matrix products with AVX-512, which the processor is asked for when the program runs.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|amd64")
    set_source_files_properties(${CMAKE_SOURCE_DIR}/src/compute/gemm_avx512.c PROPERTIES
        COMPILE_OPTIONS "-O3;-mavx512f;-mfma;-fno-lto")
endif()
