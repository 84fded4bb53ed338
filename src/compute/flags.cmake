# Flags of single files. Activations are loops of a few operations that vectorise only where nobody
# reads errno or floating point exceptions. Never -ffast-math.
set_source_files_properties(${CMAKE_SOURCE_DIR}/src/compute/activation.c PROPERTIES
    COMPILE_OPTIONS "-fno-math-errno;-fno-trapping-math")
